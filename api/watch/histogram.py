"""How many values lie up to each bound, and their sum."""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


class Histogram:
    """Counts of values up to each bound, which ascend, and their sum."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def observe_all(self, values: npt.NDArray[np.float32]) -> None:
        """Count many values."""
        more = np.bincount(np.searchsorted(self.bounds, values), minlength=len(self.counts)).tolist()
        self.counts = [count + added for count, added in zip(self.counts, more, strict=True)]
        self.sum += float(values.sum(dtype=np.float64))

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative counts, as Prometheus wants them."""
        total, result = 0, []
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            total += count
            result.append((bound, float(total)))
        return result
