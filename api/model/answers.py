"""Rows as they are asked about, and the model's answers."""

from itertools import starmap
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from api.trees.walk import Predictions

Row = tuple[float, ...]
"""One row in the model's own numbers, in column order; NaN where a value is missing."""

SentRows = npt.NDArray[np.float64]
"""Many such rows, of shape (n, features): as exact as they were sent."""

Value = float | list[float]
"""A predicted number or the probability of yes; of several classes the probability of each."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """One row's prediction, and the features that lie outside the training data."""

    value: Value
    extrapolated: list[str]


class Answers(NamedTuple):
    """The same of many rows, in order."""

    predicted: Predictions
    extrapolated: list[list[str]]

    def one_by_one(self) -> list[Answer]:
        """Each row's own."""
        return list(starmap(Answer, zip(self.predicted.tolist(), self.extrapolated, strict=True)))
