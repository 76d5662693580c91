"""Which version goes live."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, current_thread

import numpy as np
import pandas as pd
import pytest
import sqlalchemy
import xgboost
from mlflow import MlflowClient
from sqlalchemy.orm import Session

from tests.california import FEATURES, MODEL_NAME, TABLE, TARGET
from tests.training.conftest import SMALL, Home, searching
from training import pipeline
from training.fitting.estimators import truth
from training.fitting.scores import score
from training.publishing import promotion, registry, tracking
from training.publishing.promotion import Candidate, Decision
from training.rows import data
from training.rows.splitting import split

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


@pytest.fixture
def contenders(home: Home, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The errors of two versions that beat the champion, registered while neither was crowned; 3 is the better one."""
    with monkeypatch.context() as patch, tracking.connected():
        patch.setattr(promotion, "crown", lambda _, decision, *__, **___: decision)
        outcomes = [
            pipeline.train(searching({"n_estimators": (trees,)}), data.load(TABLE), candidates=1, folds=2)
            for trees in (60, 90)
        ]
    assert [outcome.decision.promoted for outcome in outcomes] == [True, True]
    errors = {outcome.version: outcome.facts.metrics["test_rmse"] for outcome in outcomes}
    assert list(errors) == ["2", "3"]
    assert errors["3"] < errors["2"]
    return errors


def crowned(version: str, test: pd.DataFrame, *, force: bool = False) -> Decision:
    """What becomes of a version that beat champion 1."""
    predicted = registry.load(MODEL_NAME, version).inplace_predict(test[list(FEATURES)])
    candidate = Candidate(TABLE, test, predicted, 0.8)
    return promotion.crown(version, Decision(True, "better"), candidate, since=1, force=force)


@pytest.mark.parametrize("order", ["23", "32"])
def test_the_better_of_two_is_champion_in_either_order(
    contenders: dict[str, float], table: pd.DataFrame, order: str
) -> None:
    """Of two trainings that both beat the same champion, the better is champion, whichever crowns its own last."""
    with tracking.connected():
        decisions = {version: crowned(version, split(table, TABLE).test) for version in order}
        assert registry.champion(MODEL_NAME) == "3"
        assert sorted(registry.promoted_since(MODEL_NAME, 1)) == (["3"] if order == "32" else ["2", "3"])
    assert decisions["3"] == Decision(True, "better")
    if order == "32":
        assert not decisions["2"].promoted
        assert f"but version 3, trained at the same time, has {contenders['3']:.6f}" in decisions["2"].reason


def test_force_asks_no_rival(contenders: dict[str, float], table: pd.DataFrame) -> None:
    """A version that is forced becomes champion though a better one was promoted while it was trained."""
    test = split(table, TABLE).test
    with tracking.connected():
        assert crowned("3", test).promoted
        assert crowned("2", test, force=True).promoted
        assert registry.champion(MODEL_NAME) == "2"


@pytest.mark.parametrize("last", ["2", "3"])
def test_two_crown_at_once(
    contenders: dict[str, float], table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    """Both have said so and neither has crowned when the worse one, or the better, crowns last: the better stays."""
    crown, test = registry.crown, split(table, TABLE).test
    ready, first = Barrier(2, timeout=60), Event()

    def crown_in_turn(name: str, version: str) -> None:
        if version == current_thread().name and version not in begun:
            begun.add(version)
            ready.wait()
            if version == last:
                assert first.wait(60)
            crown(name, version)
            first.set()
        else:
            crown(name, version)

    begun: set[str] = set()
    monkeypatch.setattr(registry, "crown", crown_in_turn)
    with tracking.connected(), ThreadPoolExecutor() as pool:

        def run(version: str) -> Decision:
            current_thread().name = version
            return crowned(version, test)

        decisions = dict(zip("23", pool.map(run, "23"), strict=True))
        assert registry.champion(MODEL_NAME) == "3"
    assert decisions["3"].promoted
    assert not decisions["2"].promoted


def test_two_crown_the_first_at_once(contenders: dict[str, float]) -> None:
    """MLflow looks whether there is a champion, then writes: another that has written it in between is no fault."""
    with tracking.connected():
        MlflowClient().delete_registered_model_alias(MODEL_NAME, registry.CHAMPION)
        sqlalchemy.event.listen(Session, "before_flush", lambda *_: registry.crown(MODEL_NAME, "2"), once=True)
        registry.crown(MODEL_NAME, "3")
        assert registry.champion(MODEL_NAME) == "3"


def test_a_rival_is_taken_back(
    contenders: dict[str, float], table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version whose training fails once it is crowned, while it is being compared, takes no other with it."""
    test = split(table, TABLE).test
    promoted_since = registry.promoted_since

    def take_back(name: str, version: int) -> list[str]:
        found = promoted_since(name, version)
        MlflowClient().delete_model_version(name, "3")
        return found

    with tracking.connected():
        assert crowned("3", test).promoted
        monkeypatch.setattr(registry, "promoted_since", take_back)
        assert crowned("2", test) == Decision(True, "better")
        assert registry.champion(MODEL_NAME) == "2"


def test_crown_after_an_interrupt(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C right after a version became champion leaves it champion: there is always one, and it exists."""
    crown = registry.crown

    def interrupted(name: str, version: str) -> None:
        crown(name, version)
        raise KeyboardInterrupt

    monkeypatch.setattr(registry, "crown", interrupted)
    with tracking.connected():
        with pytest.raises(KeyboardInterrupt):
            pipeline.train(BETTER, data.load(TABLE), candidates=1, folds=2)
        assert registry.champion(MODEL_NAME) == "2"
        registry.load(MODEL_NAME, "2")
