"""The search for the best hyperparameters: the same candidates on the same folds as any scikit-learn user gets."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.model_selection import ParameterSampler, RandomizedSearchCV

from training.errors import TrainingError
from training.fitting.estimators import features, truth, xgboost_model
from training.fitting.progress import TreesGrown
from training.rows.splitting import folds_of
from training.tables.description import Table

SCORING = {"number": "neg_mean_squared_error", "boolean": "neg_log_loss", "category": "neg_log_loss"}

CONNECT_SECONDS = 10
USUAL_TREES, USUAL_DEPTH = 100, 6
"""XGBoost's own, where a space does not name them."""

log = logging.getLogger(__name__)


def search(
    table: pd.DataFrame, description: Table, *, candidates: int, folds: int, seed: int, cluster: str | None = None
) -> RandomizedSearchCV:
    """Fit the search on cleaned training rows; its best model is refitted on all of them.

    Args:
        table: the training rows.
        description: of the table, with the space to choose from.
        candidates: how many combinations to try.
        folds: cross-validation folds for each; rows that are the same are in the same one.
        seed: of the choice of candidates and of XGBoost; the same seed gives the same model.
        cluster: address of a Dask scheduler; None searches on this machine.

    Raises:
        TrainingError: the cluster cannot be reached.
    """
    space = {name: list(values) for name, values in description.search.space.items()}
    model = xgboost_model(description, seed)
    tried = list(ParameterSampler(space, min(candidates, _combinations(space)), random_state=seed))
    found = RandomizedSearchCV(
        model,
        space,
        n_iter=len(tried),
        cv=folds_of(table, description, folds),
        scoring=SCORING[description.target.kind],
        random_state=seed,
    )
    rows = f"{len(table):,}"
    log.info("Searching: %d candidates on %d folds, %d fits of %s rows", len(tried), folds, len(tried) * folds, rows)
    if cluster:
        with connected(cluster) as client, joblib.parallel_config("dask", n_jobs=-1):
            log.info("Searching on %s; watch it at %s", cluster, client.dashboard_link)
            return found.fit(features(table, description), truth(table, description))
    # XGBoost releases the interpreter while it works, so threads use every core without starting processes. Trees that
    # grow on a cluster cannot be counted here. The best candidate is fitted once more, to all rows.
    fits = [chosen for chosen in tried for _ in range(folds)] + [max(tried, key=work_of)]
    with (
        TreesGrown("Searching", [trees_of(chosen) for chosen in fits], [work_of(chosen) for chosen in fits]) as counter,
        joblib.parallel_config("threading", n_jobs=-1),
    ):
        model.set_params(callbacks=[counter])
        found.fit(features(table, description), truth(table, description))
    found.best_estimator_.set_params(callbacks=None)
    return found


def by_rank(found: RandomizedSearchCV, kind: str) -> pd.DataFrame:
    """The search's table, best candidate first, with the score over all folds and its spread between them.

    Args:
        found: a fitted search.
        kind: of the target; the score is the RMSE of a number, the log loss of classes.
    """
    table = pd.DataFrame(found.cv_results_).sort_values("rank_test_score", kind="stable").drop(columns="params")
    root = np.sqrt if kind == "number" else np.positive
    folds = root(-table.filter(regex=r"^split\d+_test_score$"))
    table = table.assign(score=root(-table["mean_test_score"]), score_std=folds.std(axis=1, ddof=0))
    return table.reset_index(drop=True)


def _combinations(space: Mapping[str, list[Any]]) -> int:
    return int(np.prod([len(values) for values in space.values()]))


def trees_of(candidate: Mapping[str, Any]) -> float:
    """How many trees a fit grows."""
    return float(candidate.get("n_estimators", USUAL_TREES))


def work_of(candidate: Mapping[str, Any]) -> float:
    """How long a fit takes, in some unit: trees of depth 6, 8, 10 and 12 were seen to take 3, 8, 13 and 30 ms."""
    work: float = trees_of(candidate) * 2.0 ** (float(candidate.get("max_depth", USUAL_DEPTH)) / 2)
    return work


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A Dask cluster's client.

    Raises:
        TrainingError: the cluster cannot be reached, or Dask is not installed.
    """
    try:
        distributed = import_module("distributed")  # an extra that most installations do without
    except ImportError as error:
        raise TrainingError("--cluster needs Dask: pip install -r requirements/cluster.txt") from error
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise TrainingError(f"No Dask scheduler answers at {address}: {error}") from error
    with client:
        yield client
