"""Samples of rows that stream by: which rows are taken depends on the rows alone, not on their order or their parts."""

from typing import Self

import numpy as np
import pandas as pd

from training.in_parts.sides import Hashes, shuffled

SEED = 7
"""Of the choice, which must not follow that of the sides."""


class Sample:
    """The rows whose shuffled hashes are the smallest: at most `size`, and of rows that are the same all or none."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.taken: list[tuple[Hashes, pd.DataFrame]] = []
        self.rows = 0
        self.limit = np.uint64(2**64 - 1)

    def add(self, rows: pd.DataFrame, hashes: Hashes) -> None:
        """Let these rows pass, and keep those that belong to the sample."""
        self._keep(rows, shuffled(hashes, SEED))
        if self.rows > 2 * self.size:
            self._shrink()

    def merge(self, other: Self) -> None:
        """Add what passed by another sample of the same size."""
        self.limit = min(self.limit, other.limit)
        for order, rows in other.taken:
            self._keep(rows, order)
        if self.rows > self.size:
            self._shrink()

    def table(self) -> pd.DataFrame:
        """The sample, in an order of its own."""
        order, rows = self._whole()
        return rows.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)

    def repeated(self) -> float:
        """The share of the rows that are the same as another one before."""
        order, _ = self._whole()
        return 1 - len(np.unique(order)) / len(order) if len(order) else 0.0

    def _keep(self, rows: pd.DataFrame, order: Hashes) -> None:
        below = order < self.limit
        self.taken.append((order[below], rows[below]))
        self.rows += int(below.sum())

    def _whole(self) -> tuple[Hashes, pd.DataFrame]:
        if self.rows > self.size:
            self._shrink()
        below = [(order < self.limit, order, rows) for order, rows in self.taken]
        order = np.concatenate([order[kept] for kept, order, _ in below])
        rows = pd.concat([rows[kept] for kept, _, rows in below], ignore_index=True)
        return order, rows

    def _shrink(self) -> None:
        order = np.concatenate([order for order, _ in self.taken])
        self.limit = min(self.limit, np.partition(order, self.size)[self.size])
        kept = [(order < self.limit, order, rows) for order, rows in self.taken]
        whole = pd.concat([rows[below] for below, _, rows in kept], ignore_index=True)
        self.taken = [(np.concatenate([order[below] for below, order, _ in kept]), whole)]
        self.rows = len(whole)
