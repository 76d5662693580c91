"""Intervals whose width follows the prediction, and sets of labels: how often they hold the truth."""

import numpy as np
import pytest

from training.fitting.intervals import hold, hold_labels, interval_bins, label_threshold


def test_few_rows_are_one_bin() -> None:
    """Of 19 errors of 1 to 19 on either side the ceil(20 * 0.95) = 19th is taken: none is left out."""
    bins = interval_bins(np.concatenate([np.arange(1.0, 20.0), -np.arange(1.0, 20.0)]), np.zeros(38))
    assert bins.edges == []
    assert bins.high == [19.0]
    assert bins.low == [19.0]


def test_intervals_cover_new_rows() -> None:
    """Whatever the errors' distribution, about 90 % of new rows are held in each fifth of the predictions."""
    random = np.random.default_rng(0)
    for draw in (random.normal, random.standard_cauchy):
        predicted, later = random.uniform(1, 5, (2, 40_000))
        bins = interval_bins(predicted + predicted * draw(size=40_000), predicted)
        held = hold(bins, later + later * draw(size=40_000), later, None, None)
        assert held.coverage == pytest.approx(0.9, abs=0.01)
        assert held.by_fifth == pytest.approx([0.9] * 5, abs=0.03)


def test_an_interval_holds_its_prediction() -> None:
    """Where the truth is always above the prediction, the interval begins there and holds more than asked."""
    random = np.random.default_rng(0)
    predicted = random.uniform(1, 5, 40_000)
    bins = interval_bins(predicted + random.exponential(size=40_000), predicted)
    assert set(bins.low) == {0.0}
    held = hold(bins, predicted + random.exponential(size=40_000), predicted, None, None)
    assert held.coverage == pytest.approx(0.95, abs=0.01)


def test_width_follows_the_prediction() -> None:
    """Where errors grow with the prediction, so do the intervals."""
    random = np.random.default_rng(0)
    predicted = random.uniform(0, 10, 10_000)
    bins = interval_bins(predicted + predicted * random.normal(size=10_000), predicted)
    assert bins.high == sorted(bins.high)
    assert bins.high[-1] > 5 * bins.high[0]


def test_bounds_of_the_target_cut() -> None:
    """An interval does not begin below the lowest true value there can be, and holds as much as before."""
    random = np.random.default_rng(0)
    predicted = random.uniform(0, 1, 10_000)
    true = np.maximum(0.0, predicted + random.normal(size=10_000))
    bins = interval_bins(true, predicted)
    cut, whole = (hold(bins, true, predicted, low, None) for low in (0.0, None))
    assert cut.coverage == whole.coverage
    assert cut.mean_width < whole.mean_width


def test_label_sets_cover_new_rows() -> None:
    """About 90 % of the true labels are in their sets, and the surer a model is the smaller they are."""
    random = np.random.default_rng(0)
    sizes = []
    for sureness in (1.0, 5.0):
        said, later = random.dirichlet([1, 1, 1], (2, 20_000)) ** sureness
        said, later = (each / each.sum(axis=1, keepdims=True) for each in (said, later))
        codes, later_codes = (np.array([random.choice(3, p=row) for row in each], float) for each in (said, later))
        sets = hold_labels(label_threshold(codes, said), later_codes, later)
        assert sets.coverage == pytest.approx(0.9, abs=0.01)
        sizes.append(sets.mean_size)
    assert sizes[1] < sizes[0]


def test_the_most_probable_label_is_always_there() -> None:
    """No set is empty, however high the threshold."""
    sets = hold_labels(0.99, np.array([0.0, 1.0]), np.array([[0.6, 0.4], [0.6, 0.4]]))
    assert sets.mean_size == 1.0
    assert sets.coverage == 0.5
