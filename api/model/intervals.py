"""The 90 % interval of a predicted number, of one or of many with the same arithmetic to the bit."""

from bisect import bisect_right
from typing import Self

import numpy as np
import numpy.typing as npt

from api.model.model import Model
from api.store.manifest import IntervalBins
from api.store.schema import Target

Doubles = npt.NDArray[np.float64]


class Intervals:
    """Those of one model: as wide as the prediction's bin says, and within the target's bounds.

    A prediction beyond a bound stays within its own interval.
    """

    def __init__(self, bins: IntervalBins, target: Target) -> None:
        self.bins, self.target = bins, target
        self._edges, self._low, self._high = (np.array(each, np.float64) for each in (bins.edges, bins.low, bins.high))

    @classmethod
    def of(cls, model: Model) -> Self | None:
        """None: the model has none."""
        return None if model.interval is None else cls(model.interval, model.schema.target)

    def one(self, value: float) -> tuple[float, float]:
        """The lowest and the highest value."""
        target, place = self.target, bisect_right(self.bins.edges, value)
        low, high = value - self.bins.low[place], value + self.bins.high[place]
        if target.low is not None and low < target.low:
            low = min(target.low, value)
        if target.high is not None and high > target.high:
            high = max(target.high, value)
        return low, high

    def many(self, values: Doubles) -> tuple[Doubles, Doubles]:
        """The lowest and the highest value of each."""
        target, place = self.target, np.searchsorted(self._edges, values, side="right")
        low, high = values - self._low[place], values + self._high[place]
        if target.low is not None:
            low = np.where(low < target.low, np.minimum(target.low, values), low)
        if target.high is not None:
            high = np.where(high > target.high, np.maximum(target.high, values), high)
        return low, high
