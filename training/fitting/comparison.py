"""Whether one model predicts better than another, or whether the difference could be chance."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp

from api.model.schema import TARGET
from training.fitting.evaluation import Values, score
from training.tables.splitting import numbered

LEVEL = 0.05
"""Two models that are equally good are told apart by mistake this often."""


class Comparison(NamedTuple):
    """Two models' errors on the same rows, in target units."""

    rmse: float
    other: float
    margin: float
    """Half the width of the confidence interval of `rmse - other`."""

    @property
    def better(self) -> bool:
        """Whether the first model's error is smaller, by more than chance."""
        return self.other - self.rmse > self.margin

    @property
    def worse(self) -> bool:
        """Whether it is larger, by more than chance."""
        return self.rmse - self.other > self.margin


def compare(rows: pd.DataFrame, predicted: Values, others: Values) -> Comparison:
    """A paired t-test over the rows' squared errors (Diebold and Mariano, "Comparing Predictive Accuracy", 1995).

    Both models meet the same hard rows, so a pair's difference varies far less than either error, and differences are
    found that two separate intervals would hide. A row that is there ten times counts as one observation of ten times
    the weight, not as ten.

    Args:
        rows: held-out rows that neither model has learned from.
        predicted: the one model's prediction for each of them.
        others: the other's.
    """
    true = rows[TARGET].to_numpy()
    rmse, other = score(true, predicted).rmse, score(true, others).rmse
    if np.array_equal(predicted, others):
        return Comparison(rmse, other, 0.0)
    differences = (np.asarray(predicted, float) - true) ** 2 - (np.asarray(others, float) - true) ** 2
    observed = np.bincount(numbered(rows), differences)
    low, high = ttest_1samp(observed, 0).confidence_interval(1 - LEVEL)
    # From mean squared errors to their roots: a - b is (a² - b²) / (a + b).
    margin = (high - low) / 2 * len(observed) / len(rows) / (rmse + other)
    return Comparison(rmse, other, float(margin))
