"""How the training rows were distributed: what counts as extrapolated, and what drift is measured against."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from api.store.manifest import PREDICTIONS, Shares
from api.store.schema import Feature, Schema
from training.fitting.estimators import Values

BINS = 10


def ranges(rows: pd.DataFrame, features: Sequence[Feature]) -> dict[str, tuple[float, float]]:
    """Lowest and highest value of each number that is there at all."""
    return {
        feature.name: (float(rows[feature.name].min()), float(rows[feature.name].max()))
        for feature in features
        if feature.kind in ("number", "integer") and rows[feature.name].notna().any()
    }


def distribution(rows: pd.DataFrame, predicted: Values, schema: Schema) -> dict[str, Shares]:
    """Of each feature and of predictions: numbers and probabilities of yes by deciles, the rest by share.

    Args:
        rows: features as `training.rows.checks.check` has them.
        predicted: numbers of shape (n,), or probabilities of the classes of shape (n, classes).
        schema: of both.
    """
    found = {feature.name: _column(rows[feature.name], feature.kind) for feature in schema.features}
    if schema.target.kind == "category":
        return found | {PREDICTIONS: _labels(predicted)}
    return found | {PREDICTIONS: numbers(predicted if predicted.ndim == 1 else predicted[:, 1])}


def _column(column: pd.Series, kind: str) -> Shares:
    rows = int(column.count())
    if kind == "category":
        return Shares([], column.value_counts(normalize=True, sort=False).tolist(), rows)
    if kind == "boolean":
        yes = float(column.mean()) if rows else 0.0
        return Shares([], [1 - yes, yes], rows)
    return numbers(column.dropna().to_numpy("float64"))


def numbers(values: Values) -> Shares:
    """Deciles, as far as they differ, and the share of the values from each to the next."""
    if len(values) == 0:
        return Shares([], [1.0])
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    return Shares(edges.tolist(), (counts / len(values)).tolist(), len(values))


def _labels(probabilities: Values) -> Shares:
    counts = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])
    return Shares([], (counts / len(probabilities)).tolist(), len(probabilities))
