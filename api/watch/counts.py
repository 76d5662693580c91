"""Counts rows by the training distribution's bins, and what is odd about them: all in one vector of integers."""

import numpy as np

from api.model.model import Model
from api.store.manifest import PREDICTIONS
from api.trees.walk import Predictions, Rows
from api.watch.bins import Bins, Column, Counts

_CODED = ("category", "boolean")


class Layout:
    """Where everything stands in a vector of counts, for one model; vectors of different times add up."""

    ROWS, EXTRAPOLATED_ROWS, MISSING_ROWS, UNKNOWN, REQUESTS, REFUSED, FAILED, LEFT_OUT = range(8)
    """Rows predicted, those of them with any value outside the training data or missing, values refused as an unknown
    category; requests answered, those with a 4xx and a 5xx, and those without a line in the log."""

    def __init__(self, model: Model) -> None:
        self.model = model
        schema, known = model.schema, model.distribution
        self.names = schema.names
        self.binned = [place for place, name in enumerate(self.names) if name in known]
        self.features = Bins([_column(model, place) for place in self.binned])
        # Of yes and no the probability is a number.
        of_predictions = Column.of_codes if schema.target.kind == "category" else Column.of_numbers
        self.predictions = Bins([of_predictions(known[PREDICTIONS])] if PREDICTIONS in known else [])
        self.width = self.LEFT_OUT + 1
        self.extrapolated, self.missing, self.unknown = (self._place(len(self.names)) for _ in range(3))
        self.labels = self._place(len(schema.target.classes))
        self.feature_bins = self._place(self.features.width)
        self.prediction_bins = self._place(self.predictions.width)

    def _place(self, size: int) -> slice:
        self.width += size
        return slice(self.width - size, self.width)

    def empty(self) -> Counts:
        """Nothing counted."""
        return np.zeros(self.width, np.int64)

    def count(self, rows: Rows, predicted: Predictions) -> Counts:
        """Count rows and what was predicted for them."""
        counts = self.empty()
        counts[self.ROWS] = len(rows)
        # Mostly there are none, which is known in a hundredth of the time.
        if (outside := self.model.outside(rows)).any():
            counts[self.EXTRAPOLATED_ROWS] = outside.any(axis=1).sum()
            counts[self.extrapolated] = outside.sum(axis=0)
        if (missing := np.isnan(rows)).any():
            counts[self.MISSING_ROWS] = missing.any(axis=1).sum()
            counts[self.missing] = missing.sum(axis=0)
        counts[self.feature_bins] = self.features.count(rows.T[self.binned])
        # Of yes and no the more probable, and no where both are as probable.
        labels = predicted.argmax(axis=1) if predicted.ndim > 1 else predicted > 0.5
        if classes := len(self.model.schema.target.classes):
            counts[self.labels] = np.bincount(labels, minlength=classes)
        if self.predictions.width:
            values = labels if predicted.ndim > 1 else predicted
            counts[self.prediction_bins] = self.predictions.count(values[np.newaxis].astype(np.float32, copy=False))
        return counts

    def drift(self, counts: Counts) -> dict[str, float]:
        """The index of each column with rows enough, by feature, and of the predictions under `PREDICTIONS`."""
        names = [*(self.names[place] for place in self.binned), PREDICTIONS]
        indices = self.features.drift(counts[self.feature_bins]) + self.predictions.drift(counts[self.prediction_bins])
        return {name: index for name, index in zip(names, indices, strict=False) if index is not None}


def _column(model: Model, place: int) -> Column:
    feature = model.schema.features[place]
    shares = model.distribution[feature.name]
    return Column.of_codes(shares) if feature.kind in _CODED else Column.of_numbers(shares)
