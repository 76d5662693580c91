"""The interval of a number: of one and of many the same bits, within the target's bounds."""

from itertools import product

import numpy as np
import pytest

from api.model.intervals import Intervals
from api.store.manifest import IntervalBins
from api.store.schema import Target

BINS = IntervalBins(edges=[0.1, 2.5, 4.0], low=[0.3, 0.7, 0.1, 2.0], high=[0.2, 0.9, 0.3, 1.0])
VALUES = [-7.0, -0.3, -1e-300, 0.0, 0.1, float(np.float32(0.1)), 0.9, 2.5, np.nextafter(2.5, 0), 3.9, 4.0, 5.0, 1e30]


@pytest.mark.parametrize(("lowest", "highest"), list(product([None, -0.2, 0.0], [None, 4.1, 5.0])))
def test_one_and_many_agree(lowest: float | None, highest: float | None) -> None:
    """On edges, beside them, near the bounds and beyond."""
    intervals = Intervals(BINS, Target(name="t", kind="number", low=lowest, high=highest))
    low, high = intervals.many(np.array(VALUES))
    each = [intervals.one(value) for value in VALUES]
    assert list(zip(low.tolist(), high.tolist(), strict=True)) == each
    for value, (least, most) in zip(VALUES, each, strict=True):
        assert least <= value <= most
        assert lowest is None or least >= min(lowest, value)
        assert highest is None or most <= max(highest, value)


def test_bins_end_below_their_edges() -> None:
    """A prediction on an edge lies in the bin above it."""
    intervals = Intervals(BINS, Target(name="t", kind="number"))
    assert [intervals.one(value) for value in (2.0, 2.5, 4.0)] == [(1.3, 2.9), (2.4, 2.8), (2.0, 5.0)]
