"""Whether one model predicts better than another, or whether the difference could be chance."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp

from training.fitting import scores
from training.fitting.estimators import Values, truth
from training.rows.splitting import numbered
from training.tables.description import Table

LEVEL = 0.05
"""Two models that are equally good are told apart by mistake this often."""


class Comparison(NamedTuple):
    """Two models' scores on the same rows: RMSE in target units, or log loss; less is better."""

    score: float
    other: float
    margin: float
    """Half the width of the confidence interval of `score - other`."""

    @property
    def better(self) -> bool:
        """Whether the first model's score is smaller, by more than chance."""
        return self.other - self.score > self.margin

    @property
    def worse(self) -> bool:
        """Whether it is larger, by more than chance."""
        return self.score - self.other > self.margin


def compare(rows: pd.DataFrame, description: Table, predicted: Values, others: Values) -> Comparison:
    """A paired t-test over the rows' losses (Diebold and Mariano, "Comparing Predictive Accuracy", 1995).

    Both models meet the same hard rows, so a pair's difference varies far less than either loss, and differences are
    found that two separate intervals would hide. A row that is there ten times counts as one observation of ten times
    the weight, not as ten.

    Args:
        rows: held-out rows that neither model has learned from.
        description: of their table.
        predicted: the one model's prediction for each of them.
        others: the other's.
    """
    true, kind = truth(rows, description), description.target.kind
    one, other = scores.losses(true, predicted), scores.losses(true, others)
    score, beside = scores.decisive(one.mean(), kind), scores.decisive(other.mean(), kind)
    if np.array_equal(predicted, others):
        return Comparison(score, beside, 0.0)
    observed = np.bincount(numbered(rows), one - other)
    low, high = ttest_1samp(observed, 0).confidence_interval(1 - LEVEL)
    margin = float(high - low) / 2 * len(observed) / len(rows)
    # From mean squared errors to their roots: a - b is (a² - b²) / (a + b).
    return Comparison(score, beside, margin / (score + beside) if kind == "number" else margin)
