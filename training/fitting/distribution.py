"""How the training rows were distributed: what drift is measured against."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from api.store.manifest import PREDICTIONS, Shares
from api.store.schema import Feature
from training.fitting.estimators import Values
from training.tables.description import Table

BINS = 10


def distribution(train: pd.DataFrame, predicted: Values, description: Table) -> dict[str, Shares]:
    """Of each feature and of the predictions for held-out rows: numbers by deciles, categories and labels by share."""
    return distribution_of(train, predicted, description.schema().features)


def distribution_of(rows: pd.DataFrame, predicted: Values, features: Sequence[Feature]) -> dict[str, Shares]:
    """The same, of rows with these features."""
    found = {feature.name: _column(rows[feature.name], feature.kind) for feature in features}
    return found | {PREDICTIONS: numbers(predicted) if predicted.ndim == 1 else _labels(predicted)}


def _column(column: pd.Series, kind: str) -> Shares:
    if kind == "category":
        return Shares([], column.value_counts(normalize=True, sort=False).tolist())
    if kind == "boolean":
        yes = float(column.mean()) if column.notna().any() else 0.0
        return Shares([], [1 - yes, yes])
    return numbers(column.dropna().to_numpy("float64"))


def numbers(values: Values) -> Shares:
    """Deciles, as far as they differ, and the share of the values from each to the next."""
    if len(values) == 0:
        return Shares([], [1.0])
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    return Shares(edges.tolist(), (counts / len(values)).tolist())


def _labels(probabilities: Values) -> Shares:
    counts = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])
    return Shares([], (counts / len(probabilities)).tolist())
