"""The population stability index."""

import numpy as np
import pytest

from api.model.drift import SMALLEST_SHARE, population_stability_index, rows_needed


def test_known_value() -> None:
    """A half that becomes a quarter, worked out by hand: twice 0.25 · ln 2 and 0.25 · ln 1.5 together."""
    assert population_stability_index([0.5, 0.5], [0.25, 0.75]) == pytest.approx(0.25 * np.log(2) + 0.25 * np.log(1.5))


def test_nothing_moved() -> None:
    """The same shares have no index, whichever way round they are compared."""
    assert population_stability_index([0.2, 0.3, 0.5], [0.2, 0.3, 0.5]) == 0
    there = population_stability_index([0.2, 0.3, 0.5], [0.5, 0.3, 0.2])
    assert population_stability_index([0.5, 0.3, 0.2], [0.2, 0.3, 0.5]) == pytest.approx(there)


@pytest.mark.parametrize(("expected", "actual"), [([0.0, 1.0], [1.0, 0.0]), ([0.5, 0.5], [1.0, 0.0])])
def test_empty_bins(expected: list[float], actual: list[float]) -> None:
    """A bin that was empty, or is now, makes the index large and not infinite."""
    index = population_stability_index(expected, actual)
    assert 1 < index < 2 * -np.log(SMALLEST_SHARE)


def test_other_bins() -> None:
    """Shares of other bins are refused rather than spread over each other."""
    with pytest.raises(ValueError, match="3 bins cannot be compared with shares of 1"):
        population_stability_index([0.2, 0.3, 0.5], [1.0])


@pytest.mark.parametrize("bins", [2, 10, 100])
def test_noise_of_a_sample(bins: int) -> None:
    """With the rows that it asks for, no sample of an unchanged population in a thousand reaches half the threshold."""
    shares = np.full(bins, 1 / bins)
    samples = np.random.default_rng(1).multinomial(rows_needed(bins), shares, size=1000) / rows_needed(bins)
    indices = [population_stability_index(shares, sample) for sample in samples]
    assert np.mean(indices) == pytest.approx((bins - 1) / rows_needed(bins), rel=0.15)
    assert max(indices) < 0.1
