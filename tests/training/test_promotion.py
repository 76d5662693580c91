"""Which version goes live."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, current_thread

import pandas as pd
import pytest
from mlflow import MlflowClient

from api.store.manifest import MODEL_NAME
from tests.training.conftest import SMALL, Home
from training import pipeline
from training.publishing import promotion, registry, tracking
from training.publishing.promotion import Decision
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


@pytest.fixture
def contenders(home: Home, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The errors of two versions that beat the champion, registered while neither was crowned; 3 is the better one."""
    with monkeypatch.context() as patch, tracking.connected():
        patch.setattr(promotion, "crown", lambda _, decision, *__, **___: decision)
        outcomes = [
            pipeline.train(candidates=1, folds=2, space={**SMALL, "n_estimators": [trees]}) for trees in (60, 90)
        ]
    assert [outcome.decision.promoted for outcome in outcomes] == [True, True]
    errors = {outcome.version: outcome.facts.metrics["test_rmse"] for outcome in outcomes}
    assert list(errors) == ["2", "3"]
    assert errors["3"] < errors["2"]
    return errors


def crowned(errors: dict[str, float], version: str, test: pd.DataFrame) -> Decision:
    """What becomes of a version that beat champion 1."""
    with tracking.connected():
        return promotion.crown(version, Decision(True, "better"), errors[version], test, since=1)


@pytest.mark.parametrize("order", ["23", "32"])
def test_the_better_of_two_is_champion_in_either_order(
    contenders: dict[str, float], table: pd.DataFrame, order: str
) -> None:
    """Of two trainings that both beat the same champion, the better is champion, whichever crowns its own last."""
    decisions = {version: crowned(contenders, version, split(table).test) for version in order}
    with tracking.connected():
        assert registry.champion() == "3"
        assert sorted(registry.promoted_since(1)) == (["3"] if order == "32" else ["2", "3"])
    assert decisions["3"] == Decision(True, "better")
    if order == "32":
        assert not decisions["2"].promoted
        assert f"but version 3, trained at the same time, has {contenders['3']:.6f}" in decisions["2"].reason


@pytest.mark.parametrize("last", ["2", "3"])
def test_two_crown_at_once(
    contenders: dict[str, float], table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    """Both have said so and neither has crowned when the worse one, or the better, crowns last: the better stays."""
    crown, test = registry.crown, split(table).test
    ready, first = Barrier(2, timeout=60), Event()

    def crown_in_turn(version: str) -> None:
        if version == current_thread().name and version not in begun:
            begun.add(version)
            ready.wait()
            if version == last:
                assert first.wait(60)
            crown(version)
            first.set()
        else:
            crown(version)

    begun: set[str] = set()
    monkeypatch.setattr(registry, "crown", crown_in_turn)
    with tracking.connected(), ThreadPoolExecutor() as pool:

        def run(version: str) -> Decision:
            current_thread().name = version
            return promotion.crown(version, Decision(True, "better"), contenders[version], test, since=1)

        decisions = dict(zip("23", pool.map(run, "23"), strict=True))
        assert registry.champion() == "3"
    assert decisions["3"].promoted
    assert not decisions["2"].promoted


def test_crown_after_an_interrupt(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C right after a version became champion leaves it champion: there is always one, and it exists."""
    crown = registry.crown

    def interrupted(version: str) -> None:
        crown(version)
        raise KeyboardInterrupt

    monkeypatch.setattr(registry, "crown", interrupted)
    with tracking.connected():
        with pytest.raises(KeyboardInterrupt):
            pipeline.train(candidates=1, folds=2, space=BETTER)
        assert registry.champion() == "2"
        registry.load("2")
