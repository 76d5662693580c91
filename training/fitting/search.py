"""The search for the best hyperparameters: the same candidates on the same folds as any scikit-learn user gets."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module

import joblib
import numpy as np
import pandas as pd
from sklearn.model_selection import ParameterSampler, RandomizedSearchCV
from xgboost import XGBRegressor

from api.model.schema import FEATURES, TARGET
from training.errors import TrainingError
from training.fitting.progress import TreesGrown
from training.tables.splitting import folds_of

Space = Mapping[str, Sequence[float]]

SPACE: Space = {
    "n_estimators": [200, 300, 500],
    "max_depth": [6, 8, 10, 12],
    "learning_rate": [0.01, 0.05, 0.1, 0.2],
    "subsample": [0.4, 0.6, 0.8, 1.0],
}

CONNECT_SECONDS = 10

log = logging.getLogger(__name__)


def search(
    table: pd.DataFrame, *, candidates: int, folds: int, seed: int, space: Space = SPACE, cluster: str | None = None
) -> RandomizedSearchCV:
    """Fit the search on cleaned training rows; its best model is refitted on all of them.

    Args:
        table: the eight features and the target.
        candidates: how many combinations of `space` to try.
        folds: cross-validation folds for each; rows that are the same are in the same one.
        seed: of the choice of candidates and of XGBoost; the same seed gives the same model.
        space: the values to choose from, `n_estimators` and `max_depth` among them.
        cluster: address of a Dask scheduler; None searches on this machine.

    Raises:
        TrainingError: the cluster cannot be reached.
    """
    # One thread a fit, one fit a core: threads inside and outside would square. And with one thread the sums inside
    # XGBoost are always taken in the same order, so the model does not depend on the machine.
    model = XGBRegressor(objective="reg:squarederror", random_state=seed, n_jobs=1)
    found = RandomizedSearchCV(
        model,
        space,
        n_iter=candidates,
        cv=folds_of(table, folds),
        scoring="neg_mean_squared_error",
        random_state=seed,
    )
    features, target, rows = table[list(FEATURES)], table[TARGET], f"{len(table):,}"
    tried = list(ParameterSampler(space, candidates, random_state=seed))
    log.info("Searching: %d candidates on %d folds, %d fits of %s rows", len(tried), folds, len(tried) * folds, rows)
    if cluster:
        with _dask(cluster):
            return found.fit(features, target)
    # XGBoost releases the interpreter while it works, so threads use every core without starting processes. Trees that
    # grow on a cluster cannot be counted here.
    with _counter(tried, folds) as counter, joblib.parallel_config("threading", n_jobs=-1):
        model.set_params(callbacks=[counter])
        found.fit(features, target)
    found.best_estimator_.set_params(callbacks=None)
    return found


def by_rank(found: RandomizedSearchCV) -> pd.DataFrame:
    """The search's table, best candidate first, with the RMSE over all folds and its spread between them."""
    table = pd.DataFrame(found.cv_results_).sort_values("rank_test_score", kind="stable").drop(columns="params")
    folds = np.sqrt(-table.filter(regex=r"^split\d+_test_score$"))
    table = table.assign(rmse=np.sqrt(-table["mean_test_score"]), rmse_std=folds.std(axis=1, ddof=0))
    return table.reset_index(drop=True)


def _counter(tried: Sequence[Mapping[str, float]], folds: int) -> TreesGrown:
    """What follows a search: all folds of one candidate after the other, then the best one on all rows."""
    fits = [candidate for candidate in tried for _ in range(folds)] + [max(tried, key=_work)]
    return TreesGrown("Searching", [fit["n_estimators"] for fit in fits], [_work(fit) for fit in fits])


def _work(candidate: Mapping[str, float]) -> float:
    """How long a fit takes, in some unit: trees of depth 6, 8, 10 and 12 were seen to take 3, 8, 13 and 30 ms."""
    work: float = candidate["n_estimators"] * 2 ** (candidate["max_depth"] / 2)
    return work


@contextmanager
def _dask(address: str) -> Iterator[None]:
    try:
        distributed = import_module("distributed")  # an extra that most installations do without
    except ImportError as error:
        raise TrainingError("--cluster needs Dask: pip install -r requirements/cluster.txt") from error
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise TrainingError(f"No Dask scheduler answers at {address}: {error}") from error
    with client, joblib.parallel_config("dask", n_jobs=-1):
        log.info("Searching on %s; watch it at %s", address, client.dashboard_link)
        yield
