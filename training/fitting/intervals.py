"""How sure a prediction is: intervals of numbers whose width follows the prediction, and sets of labels.

Both are conformal: set on predictions of rows that the model had not seen when it predicted them, the training rows out
of fold, so that a new row from the same source is held for 90 of 100, whatever the model (Vovk, "Cross-conformal
predictors", 2015; Angelopoulos and Bates, "A Gentle Introduction to Conformal Prediction", 2021).
"""

import math
from typing import NamedTuple

import numpy as np

from api.store.manifest import IntervalBins
from training.fitting.estimators import Values

COVERAGE = 0.9
"""How often the true value must be held."""

MOST_BINS = 10
FEWEST_OF_A_BIN = 100
"""Rows: five of a hundred on each side are few enough to count on."""

FIFTHS = 5


class Held(NamedTuple):
    """How intervals did on rows that nothing was set on."""

    coverage: float
    mean_width: float
    by_fifth: list[float]
    """The coverage in each fifth of the rows, by their prediction, the lowest first."""


def interval_bins(true: Values, predicted: Values) -> IntervalBins:
    """Set intervals on out-of-fold predictions: bins of equally many, each with its own errors below and above."""
    bins = max(1, min(MOST_BINS, len(predicted) // FEWEST_OF_A_BIN))
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, bins + 1)[1:-1]))
    places = np.searchsorted(edges, predicted, side="right")
    below, above = [], []
    for place in range(len(edges) + 1):
        errors = (true - predicted)[places == place]
        if len(errors) == 0:
            errors = true - predicted
        above.append(max(0.0, _conformal(errors, 1 - (1 - COVERAGE) / 2)))
        below.append(max(0.0, _conformal(-errors, 1 - (1 - COVERAGE) / 2)))
    return IntervalBins(edges.tolist(), below, above)


def constant_width(true: Values, predicted: Values) -> float:
    """The width of the interval that is the same for all rows, to compare with."""
    return 2 * _conformal(np.abs(true - predicted), COVERAGE)


def _conformal(errors: Values, share: float) -> float:
    """The ceil((n + 1) * share)-th smallest; the largest where there are too few."""
    rank = min(math.ceil((len(errors) + 1) * share), len(errors))
    return float(np.sort(errors)[rank - 1])


def hold(bins: IntervalBins, true: Values, predicted: Values, low: float | None, high: float | None) -> Held:
    """Measure intervals on held-out rows, cut at the target's bounds as the service cuts them."""
    places = np.searchsorted(bins.edges, predicted, side="right")
    lower = predicted - np.array(bins.low)[places]
    upper = predicted + np.array(bins.high)[places]
    lower = lower if low is None else np.where(lower < low, np.minimum(low, predicted), lower)
    upper = upper if high is None else np.where(upper > high, np.maximum(high, predicted), upper)
    inside = (true >= lower) & (true <= upper)
    order = np.argsort(predicted, kind="stable")
    fifths = [float(inside[part].mean()) for part in np.array_split(order, FIFTHS) if len(part)]
    return Held(float(inside.mean()), float((upper - lower).mean()), fifths)


def label_threshold(true: Values, probabilities: Values) -> float:
    """How probable a label must be to belong to the set, set on out-of-fold probabilities.

    The floor((n + 1) * 0.1)-th smallest probability that was given to a true class.
    """
    given = np.sort(probabilities[np.arange(len(true)), true.astype(int)])
    rank = math.floor((len(given) + 1) * (1 - COVERAGE))
    return float(given[rank - 1]) if rank >= 1 else 0.0


class Sets(NamedTuple):
    """How sets of labels did on rows that nothing was set on."""

    coverage: float
    mean_size: float


def hold_labels(threshold: float, true: Values, probabilities: Values) -> Sets:
    """Measure sets of labels on held-out rows; the most probable label always belongs to its set."""
    chosen = probabilities >= threshold
    chosen[np.arange(len(true)), probabilities.argmax(axis=1)] = True
    return Sets(float(chosen[np.arange(len(true)), true.astype(int)].mean()), float(chosen.sum(axis=1).mean()))


def fifths(held: Held) -> dict[str, float]:
    """The coverage by fifths as metrics."""
    return {f"interval_coverage_fifth_{i}": share for i, share in enumerate(held.by_fifth, 1)}
