"""Which version goes live."""

import numpy as np
import pandas as pd
import pytest
import xgboost
from mlflow import MlflowClient

from tests.california import FEATURES, MODEL_NAME, TABLE, TARGET
from tests.training.conftest import SMALL, Home, searching
from training import pipeline
from training.fitting.estimators import truth
from training.fitting.scores import score
from training.publishing import promotion, registry, tracking
from training.publishing.promotion import Candidate, Decision
from training.tables import data
from training.tables.splitting import split

WORSE = searching({"n_estimators": (2,)})
BETTER = searching({"n_estimators": (60,)})


@pytest.fixture(scope="module")
def test_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The held-out rows."""
    return split(table, TABLE).test


def champions(rows: pd.DataFrame) -> np.ndarray:
    """What the champion predicts."""
    version = registry.champion(MODEL_NAME)
    assert version
    predicted: np.ndarray = registry.load(MODEL_NAME, version).predict(xgboost.DMatrix(rows[list(FEATURES)]))
    return predicted


def judge(predicted: np.ndarray, rows: pd.DataFrame, *, force: bool = False) -> Decision:
    """The gate's answer."""
    return promotion.judge(Candidate(TABLE, rows, predicted, 0.8), force=force)


def test_better_version_becomes_champion(home: Home) -> None:
    """A version with a clearly smaller error on the held-out rows takes over, and both figures are kept with it."""
    with tracking.connected():
        outcome = pipeline.train(BETTER, data.load(TABLE), candidates=1, folds=2)
        assert outcome.decision.promoted
        assert registry.champion(MODEL_NAME) == outcome.version == "2"
        tags = MlflowClient().get_model_version(MODEL_NAME, "2").tags
    mine, theirs = outcome.facts.metrics["test_rmse"], home.trained.facts.metrics["test_rmse"]
    assert f"RMSE {mine:.6f} against champion 1's {theirs:.6f} on the same 4,128 rows: better by" in tags["promotion"]


def test_worse_version_does_not(home: Home) -> None:
    """A version with a larger error is registered, and the champion stays."""
    with tracking.connected():
        outcome = pipeline.train(WORSE, data.load(TABLE), candidates=1, folds=2)
        assert not outcome.decision.promoted
        assert "worse by" in outcome.decision.reason
        assert outcome.version == "2"
        assert registry.champion(MODEL_NAME) == "1"


def test_a_difference_within_noise_keeps_the_champion(home: Home, test_rows: pd.DataFrame) -> None:
    """A smaller error that rests on two lucky rows is not enough, and the decision says so in figures."""
    with tracking.connected():
        theirs = champions(test_rows)
        mine = theirs.copy()
        mine[:2] = test_rows[TARGET][:2]
        decision = judge(mine, test_rows)
    rmse, other = (score(truth(test_rows, TABLE), predicted)["rmse"] for predicted in (mine, theirs))
    assert rmse < other
    assert not decision.promoted
    assert f"within noise, {other - rmse:.6f} ± " in decision.reason
    assert "at a level of 5%" in decision.reason


def test_the_same_model_again_keeps_the_champion(home: Home) -> None:
    """The same data and seed give the same model: a tie, which is said in words."""
    with tracking.connected():
        outcome = pipeline.train(SMALL, data.load(TABLE), candidates=2, folds=2)
    assert not outcome.decision.promoted
    assert "every prediction is the same" in outcome.decision.reason


def test_first_version_has_to_beat_linear_regression(home: Home, test_rows: pd.DataFrame) -> None:
    """Where there is no champion, a version becomes one if it is better than the plainest model."""
    with tracking.connected():
        good = champions(test_rows)
        MlflowClient().delete_registered_model_alias(MODEL_NAME, registry.CHAMPION)
        assert judge(good, test_rows).promoted
        poor = np.full(len(test_rows), 2.0)
        decision = judge(poor, test_rows)
        assert not decision.promoted
        assert "no better than a plain model's 0.800000" in decision.reason
        assert judge(poor, test_rows, force=True).promoted


def test_force_overrules(home: Home, test_rows: pd.DataFrame) -> None:
    """`--force` promotes a worse version and says so."""
    with tracking.connected():
        decision = judge(np.full(len(test_rows), 2.0), test_rows, force=True)
    assert decision.promoted
    assert decision.reason.endswith("; promoted by --force")
