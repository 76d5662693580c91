"""A sample of values whose size is bounded, however many there are."""

import numpy as np
import numpy.typing as npt

MOST = 4096


class Sample:
    """Every value at first; once there are too many every second, then every fourth, and so on."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.every = 1
        self.seen = 0

    def add(self, value: float) -> None:
        """Take one value into account."""
        if self.seen % self.every == 0:
            self.values.append(value)
            if len(self.values) > MOST:
                self._thin()
        self.seen += 1

    def extend(self, values: npt.NDArray[np.float32]) -> None:
        """Take many values into account, in order."""
        self.values += values[-self.seen % self.every :: self.every].tolist()
        self.seen += len(values)
        while len(self.values) > MOST:
            self._thin()

    def quantiles(self, most: int) -> list[float]:
        """At most so many values that are distributed as all are, ascending, the smallest and the largest among them.

        Of a hundred the ninety-ninth is the 99th percentile.
        """
        if len(self.values) <= most:
            return sorted(self.values)
        found: list[float] = np.quantile(self.values, np.linspace(0, 1, most), method="nearest").tolist()
        return found

    def _thin(self) -> None:
        # The values that stay are those at multiples of twice the distance.
        self.values = self.values[::2]
        self.every *= 2
