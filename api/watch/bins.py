"""Counts the values of many columns by the bins of their training distribution, and compares the two."""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from api.model.drift import rows_needed, stability_terms
from api.store.manifest import Shares

Counts = npt.NDArray[np.int64]

MOST_BINS = 100
"""Of a column. Categories beyond that share the last one: an index of more bins needs more rows than an hour has."""


class Column(NamedTuple):
    """The bins of a column, and their shares in training."""

    edges: npt.NDArray[np.float32]
    """Ascending. As training counts it, a value on an edge lies in the bin above."""
    expected: npt.NDArray[np.float64]

    @classmethod
    def of_numbers(cls, shares: Shares) -> Self:
        """Rows are float32 numbers: as float64 an edge would lie beside the very values that it was made of.

        Where two edges become one, what lay between them is counted above it.
        """
        edges, first = np.unique(np.array(shares.edges, np.float32), return_index=True)
        return cls(edges, np.add.reduceat(np.array(shares.shares, np.float64), [0, *(first + 1)]))

    @classmethod
    def of_codes(cls, shares: Shares) -> Self:
        """Each code is a bin, the last one for all that are larger."""
        expected = np.array(shares.shares, np.float64)
        if len(expected) > MOST_BINS:
            expected = np.append(expected[: MOST_BINS - 1], expected[MOST_BINS - 1 :].sum())
        return cls(np.arange(1, len(expected), dtype=np.float32), expected)


class Bins:
    """The bins of some columns, one after the other in one vector."""

    def __init__(self, columns: list[Column]) -> None:
        sizes = np.array([len(column.expected) for column in columns], np.int64)
        self.sizes = sizes
        self.width = int(sizes.sum())
        self.starts = np.cumsum(sizes) - sizes
        self.expected = np.concatenate([np.empty(0), *(column.expected for column in columns)])
        self.needed = np.array([rows_needed(int(size)) for size in sizes], np.int64)
        # Columns with many edges come first, so that an edge is compared with those alone that have as many.
        self.order = np.argsort(-sizes, kind="stable")
        edges = [columns[place].edges for place in self.order]
        self.edges = [
            np.array([[each[i]] for each in edges if len(each) > i], np.float32)
            for i in range(int(sizes.max(initial=1)) - 1)
        ]

    def count(self, values: npt.NDArray[np.float32]) -> Counts:
        """How many values lie in each bin: of shape (columns, rows), those that are missing in none."""
        values = values[self.order]
        reached = np.zeros(values.shape, np.uint8)
        for edges in self.edges:
            reached[: len(edges)] += values[: len(edges)] >= edges
        places = self.starts[self.order, np.newaxis] + reached
        places[np.isnan(values)] = self.width
        return np.bincount(places.ravel(), minlength=self.width + 1)[: self.width]

    def drift(self, counts: Counts) -> list[float | None]:
        """For each column the population stability index of what was counted; None where that is too little."""
        if not self.width:
            return []
        totals = np.add.reduceat(counts, self.starts)
        terms = stability_terms(self.expected, counts / np.repeat(np.maximum(totals, 1), self.sizes))
        indices = np.add.reduceat(terms, self.starts).tolist()
        enough = (totals >= self.needed).tolist()
        return [index if is_enough else None for index, is_enough in zip(indices, enough, strict=True)]
