"""A sample of bounded size stands for all values."""

import numpy as np
import pytest

from api.watch.sample import MOST, Sample


@pytest.mark.parametrize("count", [0, 1, MOST, MOST + 1, 3 * MOST, 50 * MOST + 7])
def test_one_by_one_or_many_at_once(count: int) -> None:
    """However the values come, the same are kept: at a distance that doubles, the first one among them."""
    single, many = Sample(), Sample()
    for value in range(count):
        single.add(float(value))
    for part in np.array_split(np.arange(count, dtype=float), 7):
        many.extend(part.astype(np.float32))
    assert single.values == many.values
    assert single.values == list(range(0, count, single.every))
    assert len(single.values) <= MOST
    assert count <= MOST or len(single.values) > MOST // 2 - 1


def test_quantiles_are_those_of_all() -> None:
    """A hundred quantiles have the distribution's percentiles; of few values all are there."""
    sample = Sample()
    sample.extend(np.random.default_rng(1).exponential(size=100_000).astype(np.float32))
    found = sample.quantiles(100)
    assert len(found) == 100
    assert found == sorted(found)
    assert np.median(found) == pytest.approx(np.log(2), rel=0.1)
    assert found[98] == pytest.approx(-np.log(0.01), rel=0.15)
    few = Sample()
    few.extend(np.array([3, 1, 2], np.float32))
    assert few.quantiles(100) == [1.0, 2.0, 3.0]
    assert Sample().quantiles(100) == []
