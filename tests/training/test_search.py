"""The search: reproducible, the same as scikit-learn's own, here and on a cluster."""

from collections.abc import Iterator
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import RandomizedSearchCV
from xgboost import XGBRegressor

from tests.california import FEATURES, TABLE, TARGET
from tests.training.conftest import SMALL, SPACE
from training.errors import TrainingError
from training.fitting.search import by_rank, search
from training.rows.cleaning import clean


@pytest.fixture(scope="module")
def rows(table: pd.DataFrame) -> pd.DataFrame:
    """Enough cleaned rows for the order of candidates to matter."""
    return clean(table, TABLE.cleaning).table.sample(3_000, random_state=0)


@pytest.fixture(scope="module")
def found(rows: pd.DataFrame) -> RandomizedSearchCV:
    """A search on this machine."""
    return search(rows, SMALL.table, candidates=4, folds=3, seed=42)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a Dask cluster of two worker processes."""
    local_cluster = import_module("distributed").LocalCluster
    with local_cluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def test_same_as_plain_scikit_learn(rows: pd.DataFrame, found: RandomizedSearchCV) -> None:
    """Candidates, scores, the choice and the model are those of a plain sequential search, to the bit."""
    plain = RandomizedSearchCV(
        XGBRegressor(objective="reg:squarederror", random_state=42, n_jobs=1, enable_categorical=True),
        SPACE,
        n_iter=4,
        cv=3,
        scoring="neg_mean_squared_error",
        random_state=42,
    ).fit(rows[list(FEATURES)], rows[TARGET])
    assert found.cv_results_["params"] == plain.cv_results_["params"]
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])
    assert found.best_params_ == plain.best_params_
    assert found.best_estimator_.get_booster().save_raw() == plain.best_estimator_.get_booster().save_raw()


def test_seed_decides(rows: pd.DataFrame, found: RandomizedSearchCV) -> None:
    """The same seed gives the same model, another seed another."""
    model = found.best_estimator_.get_booster().save_raw()
    again = search(rows, SMALL.table, candidates=4, folds=3, seed=42)
    assert again.best_estimator_.get_booster().save_raw() == model
    other = search(rows, SMALL.table, candidates=4, folds=3, seed=43)
    assert other.best_estimator_.get_booster().save_raw() != model


def test_cluster_gives_the_same_model(rows: pd.DataFrame, found: RandomizedSearchCV, scheduler: str) -> None:
    """A search on two Dask workers gives the scores and the model that this machine gives."""
    there = search(rows, SMALL.table, candidates=4, folds=3, seed=42, cluster=scheduler)
    np.testing.assert_array_equal(there.cv_results_["mean_test_score"], found.cv_results_["mean_test_score"])
    assert there.best_estimator_.get_booster().save_raw() == found.best_estimator_.get_booster().save_raw()


def test_unreachable_cluster(rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler that does not answer is named."""
    monkeypatch.setattr("training.fitting.search.CONNECT_SECONDS", 0.5)
    with pytest.raises(TrainingError, match="No Dask scheduler answers at tcp"):
        search(rows, SMALL.table, candidates=1, folds=2, seed=1, cluster="tcp://127.0.0.1:1")


def test_ranking(found: RandomizedSearchCV) -> None:
    """The table begins with the chosen candidate and gives errors in target units."""
    table = by_rank(found, "number")
    assert table["rank_test_score"].tolist() == sorted(found.cv_results_["rank_test_score"])
    assert table["score"][0] == pytest.approx(np.sqrt(-found.best_score_))
    assert (table["score_std"] > 0).all()
    assert {name: table[f"param_{name}"][0] for name in SPACE} == found.best_params_


def test_full_space() -> None:
    """The default search chooses from 192 combinations, as documented."""
    assert np.prod([len(values) for values in TABLE.search.space.values()]) == 192
