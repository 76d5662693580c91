"""Which version goes live."""

import pandas as pd
import pytest
from mlflow import MlflowClient

from api.store.manifest import MODEL_NAME
from tests.training.conftest import SMALL, Home
from training import pipeline
from training.publishing import promotion, registry, tracking
from training.tables.splitting import split

WORSE = {**SMALL, "n_estimators": [2]}
BETTER = {**SMALL, "n_estimators": [60]}


def test_better_version_becomes_champion(home: Home) -> None:
    """A version with a smaller error on the held-out rows takes over, and both figures are kept with it."""
    with tracking.connected():
        outcome = pipeline.train(candidates=1, folds=2, space=BETTER)
        assert outcome.decision.promoted
        assert registry.champion() == outcome.version == "2"
        tags = MlflowClient().get_model_version(MODEL_NAME, "2").tags
    mine, theirs = outcome.facts.metrics["test_rmse"], home.trained.facts.metrics["test_rmse"]
    assert f"RMSE {mine:.6f} against champion 1's {theirs:.6f}" in tags["promotion"]


def test_worse_version_does_not(home: Home) -> None:
    """A version with a larger error is registered, and the champion stays."""
    with tracking.connected():
        outcome = pipeline.train(candidates=1, folds=2, space=WORSE)
        assert not outcome.decision.promoted
        assert outcome.version == "2"
        assert registry.champion() == "1"


def test_first_version_becomes_champion(home: Home, table: pd.DataFrame) -> None:
    """Where there is no champion, any version becomes one."""
    with tracking.connected():
        MlflowClient().delete_registered_model_alias(MODEL_NAME, registry.CHAMPION)
        assert promotion.judge(9.9, split(table).test, force=False).promoted


@pytest.mark.parametrize(("difference", "promoted"), [(-1e-6, True), (0.0, False), (1e-6, False)])
def test_a_tie_keeps_the_champion(home: Home, table: pd.DataFrame, difference: float, promoted: bool) -> None:
    """Only a smaller error wins."""
    with tracking.connected():
        rmse = home.trained.facts.metrics["test_rmse"] + difference
        assert promotion.judge(rmse, split(table).test, force=False).promoted is promoted


def test_force_overrules(home: Home, table: pd.DataFrame) -> None:
    """`--force` promotes a worse version and says so."""
    with tracking.connected():
        decision = promotion.judge(9.9, split(table).test, force=True)
    assert decision.promoted
    assert "not better, promoted by --force" in decision.reason
