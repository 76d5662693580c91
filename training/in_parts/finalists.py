"""The best few of a search on a sample learn from all rows; rows that none of them saw say which is best."""

import logging
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from training.fitting import scores
from training.fitting.estimators import predict, truth
from training.in_parts.learning import Work, as_estimator
from training.in_parts.places import Place
from training.in_parts.preparing import Ready
from training.tables.description import Table

FINALISTS = 3
ON_ALL = "score_on_all"
"""Column of the candidates' table: the score of those that learned from all rows, on rows that none of them saw."""

log = logging.getLogger(__name__)


class Chosen(NamedTuple):
    """The model, its parameters, and the table of candidates with it in the first line."""

    model: Any
    parameters: dict[str, Any]
    results: pd.DataFrame


def choose(results: pd.DataFrame, ready: Ready, description: Table, seed: int, place: Place) -> Chosen:
    """Let the first candidates of a search's table, best first, learn from all rows, and choose the best of them."""
    first = results.head(FINALISTS)
    names = [name for name in results.columns if name.startswith("param_")]
    candidates = [
        {name.removeprefix("param_"): row[name] for name in names}
        for row in first[names].astype(object).to_dict("records")
    ]
    log.info(
        "Training the best %d of %d candidates on all %s rows",
        len(first), len(results), f"{ready.prepared.train_rows:,}",
    )  # fmt: skip
    learned = place.learn(ready.parts, Work(description, ready.sides, candidates, seed))
    models = [
        as_estimator(raw, candidate, description, seed) for raw, candidate in zip(learned, candidates, strict=True)
    ]
    rows = ready.choose
    true = truth(rows, description)
    found = [
        scores.decisive(scores.losses(true, predict(model, rows, description)).mean(), description.target.kind)
        for model in models
    ]
    best = int(np.argmin(found))
    log.info(
        "Scores on %s other rows: %s; number %d of the search is chosen",
        f"{len(rows):,}", ", ".join(f"{score:.4f}" for score in found), best + 1,
    )  # fmt: skip
    order = [*np.argsort(found, kind="stable"), *range(len(first), len(results))]
    on_all = pd.Series(found, dtype=float).reindex(results.index)
    return Chosen(models[best], candidates[best], results.assign(**{ON_ALL: on_all}).iloc[order].reset_index(drop=True))
