"""Counts rows by the training distribution's bins, and what is odd about them: all in one vector of integers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from api.model.drift import population_stability_index, rows_needed
from api.model.model import Model
from api.store.manifest import PREDICTIONS, Shares
from api.trees.walk import Predictions, Rows

Counts = npt.NDArray[np.int64]
"""A vector as a `Layout` makes it; those of several minutes add up."""

_CODED = ("category", "boolean")

MOST_BINS = 100
"""Of a column. Categories beyond that share the last one: an index of more bins needs more rows than an hour has."""


@dataclass(frozen=True)
class Column:
    """The bins of a feature, or of the predictions, and their shares in training."""

    bins: slice
    """Where they stand in a vector of counts."""
    edges: npt.NDArray[np.float32] | None
    """Of a number; None: values are the codes of categories."""
    expected: npt.NDArray[np.float64]

    def count(self, values: npt.NDArray[np.float32]) -> Counts:
        """How many values lie in each bin; those that are missing in none."""
        present = values[~np.isnan(values)]
        if self.edges is None:
            # MLflow's clients may send any number for yes and no.
            places = np.clip(present, 0, len(self.expected) - 1).astype(np.int64)
        else:
            # As training counts them: a value on an edge belongs to the bin above it.
            places = np.searchsorted(self.edges, present, side="right")
        return np.bincount(places, minlength=len(self.expected))

    def drift(self, counts: Counts) -> float | None:
        """The index of these rows against training; None where they are too few for one."""
        found = counts[self.bins]
        total = int(found.sum())
        if total < rows_needed(len(found)):
            return None
        return population_stability_index(self.expected, found / total)


class Layout:
    """Where everything stands in a vector of counts, for one model."""

    ROWS, EXTRAPOLATED_ROWS, MISSING_ROWS, UNKNOWN, REQUESTS, REFUSED, FAILED, LEFT_OUT = range(8)
    """Rows predicted, those of them with any value outside the training data or missing, values refused as an unknown
    category; requests answered, those with a 4xx and a 5xx, and those without a line in the log."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.names = model.schema.names
        features, fixed = len(self.names), self.LEFT_OUT + 1
        self.extrapolated = slice(fixed, fixed + features)
        self.missing = slice(fixed + features, fixed + 2 * features)
        self.unknown = slice(fixed + 2 * features, fixed + 3 * features)
        self.labels = slice(fixed + 3 * features, fixed + 3 * features + len(model.schema.target.classes))
        self.width = self.labels.stop
        kinds = {feature.name: feature.kind for feature in model.schema.features}
        # Of yes and no the probability is a number.
        kinds[PREDICTIONS] = "category" if model.schema.target.kind == "category" else "number"
        self.columns: dict[str, Column] = {}
        for name, shares in model.distribution.items():
            self.columns[name] = column = _column(shares, coded=kinds[name] in _CODED, start=self.width)
            self.width = column.bins.stop

    def empty(self) -> Counts:
        """Nothing counted."""
        return np.zeros(self.width, np.int64)

    def count(self, rows: Rows, predicted: Predictions) -> Counts:
        """Count rows and what was predicted for them."""
        counts = self.empty()
        outside, missing = self.model.outside(rows), np.isnan(rows)
        counts[self.ROWS] = len(rows)
        counts[self.EXTRAPOLATED_ROWS] = outside.any(axis=1).sum()
        counts[self.MISSING_ROWS] = missing.any(axis=1).sum()
        counts[self.extrapolated] = outside.sum(axis=0)
        counts[self.missing] = missing.sum(axis=0)
        by_feature = np.ascontiguousarray(rows.T)
        for name, values in zip(self.names, by_feature, strict=True):
            if column := self.columns.get(name):
                counts[column.bins] = column.count(values)
        # Of yes and no the more probable, and no where both are as probable.
        labels = predicted.argmax(axis=1) if predicted.ndim > 1 else predicted > 0.5
        if classes := self.labels.stop - self.labels.start:
            counts[self.labels] = np.bincount(labels, minlength=classes)
        if column := self.columns.get(PREDICTIONS):
            counts[column.bins] = column.count(labels.astype(np.float32) if predicted.ndim > 1 else predicted)
        return counts

    def drift(self, counts: Counts) -> dict[str, float]:
        """The index of each column with rows enough, by feature, and of the predictions under `PREDICTIONS`."""
        found = {name: column.drift(counts) for name, column in self.columns.items()}
        return {name: index for name, index in found.items() if index is not None}


def _column(shares: Shares, *, coded: bool, start: int) -> Column:
    expected = np.array(shares.shares, np.float64)
    if coded:
        if len(expected) > MOST_BINS:
            expected = np.append(expected[: MOST_BINS - 1], expected[MOST_BINS - 1 :].sum())
        edges = None
    else:
        # Rows are float32: as float64 an edge would lie beside the very values that it was made of. Where two edges
        # become one, what lay between them is counted above it.
        edges, first = np.unique(np.array(shares.edges, np.float32), return_index=True)
        expected = np.add.reduceat(expected, [0, *(first + 1)])
    return Column(slice(start, start + len(expected)), edges, expected)
