"""The search for the best hyperparameters: the same candidates on the same folds as any scikit-learn user gets."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module

import joblib
import numpy as np
import pandas as pd
from sklearn.callback import ProgressBar
from sklearn.model_selection import RandomizedSearchCV
from xgboost import XGBRegressor

from api.model.schema import FEATURES, TARGET
from training.errors import TrainingError

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
        folds: cross-validation folds for each.
        seed: of the choice of candidates and of XGBoost; the same seed gives the same model.
        space: the values to choose from.
        cluster: address of a Dask scheduler; None searches on this machine.

    Raises:
        TrainingError: the cluster cannot be reached.
    """
    # One thread a fit, one fit a core: threads inside and outside would square. And with one thread the sums inside
    # XGBoost are always taken in the same order, so the model does not depend on the machine.
    model = XGBRegressor(objective="reg:squarederror", random_state=seed, n_jobs=1)
    found = RandomizedSearchCV(
        model, space, n_iter=candidates, cv=folds, scoring="neg_mean_squared_error", random_state=seed
    )
    features, target = table[list(FEATURES)], table[TARGET]
    log.info("Searching: %d candidates, %d folds, %s rows", candidates, folds, f"{len(table):,}")
    if cluster:
        with _dask(cluster):
            return found.fit(features, target)
    # XGBoost releases the interpreter while it works, so threads use every core without starting processes. The bar
    # cannot follow a cluster: its workers report to a local socket.
    found.set_callbacks(ProgressBar(max_propagation_depth=0))
    with joblib.parallel_config("threading", n_jobs=-1):
        return found.fit(features, target)


def by_rank(found: RandomizedSearchCV) -> pd.DataFrame:
    """The search's table, best candidate first, with the RMSE over all folds and its spread between them."""
    table = pd.DataFrame(found.cv_results_).sort_values("rank_test_score", kind="stable").drop(columns="params")
    folds = np.sqrt(-table.filter(regex=r"^split\d+_test_score$"))
    table = table.assign(rmse=np.sqrt(-table["mean_test_score"]), rmse_std=folds.std(axis=1, ddof=0))
    return table.reset_index(drop=True)


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
