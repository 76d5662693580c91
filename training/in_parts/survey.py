"""What is known of a table after all of its rows have passed by once: counts, ranges, samples; of a part or of all."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from training.errors import DataError
from training.fitting.distribution import ranges
from training.in_parts.samples import Sample
from training.in_parts.sides import Hashes, Side, Sides, plain, row_hashes
from training.rows.checks import check_columns
from training.rows.cleaning import clean
from training.rows.parts import Part
from training.tables.description import Table

SAMPLED = {Side.LEARN: 50_000, Side.CHOOSE: 50_000, Side.CALIBRATE: 50_000, Side.HELD_OUT: 100_000}
"""Rows of each side that are kept at most: 60 MB of 30 numbers."""

FINGERPRINTS = 500_000
"""Rows of which it is told whether they repeat others; a hash of each is kept."""


class Checked(NamedTuple):
    """Rows that have been checked, the hash of each and its side."""

    table: pd.DataFrame
    hashes: Hashes
    sides: np.ndarray[tuple[int], np.dtype[np.int8]]


class Survey:
    """What is known of the rows that have passed by."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.digests: list[str] = []
        self.learned: list[int] = []
        """Of each part the rows that are learned from."""
        self.counts = np.zeros(len(Side), np.int64)
        """Rows of each side, before cleaning."""
        self.cleaned = np.zeros(len(Side), np.int64)
        """After it; held-out rows are never cleaned."""
        self.removed: Counter[str] = Counter()
        self.ranges: dict[str, tuple[float, float]] = {}
        """Of the rows that are learned from."""
        self.fingerprints = Sample(FINGERPRINTS)
        self.samples = {side: Sample(size) for side, size in SAMPLED.items()}

    @property
    def rows(self) -> int:
        """All of them."""
        return int(self.counts.sum())

    @property
    def sha256(self) -> str:
        """Of the values of all rows in their order."""
        return hashlib.sha256("".join(self.digests).encode()).hexdigest()

    def merge(self, other: Self) -> None:
        """Add what is known of the parts that come after these."""
        self.parts += other.parts
        self.digests += other.digests
        self.learned += other.learned
        self.counts += other.counts
        self.cleaned += other.cleaned
        self.removed.update(other.removed)
        self._widen(other.ranges)
        self.fingerprints.merge(other.fingerprints)
        for side, sample in self.samples.items():
            sample.merge(other.samples[side])

    def add(self, found: Checked, description: Table) -> None:
        """Let rows of the last part pass."""
        self.counts += np.bincount(found.sides, minlength=len(Side))
        self.fingerprints.add(found.table[[]], found.hashes)
        for side, rows, hashes in _by_side(found):
            kept = rows if side == Side.HELD_OUT else self._clean(rows, description)
            self.cleaned[side] += len(kept)
            self.samples[side].add(kept, hashes[kept.index])
            if side == Side.LEARN:
                self.learned[-1] += len(kept)
                self._widen(ranges(kept, description.schema().features))

    def _clean(self, rows: pd.DataFrame, description: Table) -> pd.DataFrame:
        kept, removed = clean(rows, description.cleaning)
        self.removed.update(removed)
        return kept

    def _widen(self, others: dict[str, tuple[float, float]]) -> None:
        for name, (low, high) in others.items():
            lowest, highest = self.ranges.get(name, (low, high))
            self.ranges[name] = min(low, lowest), max(high, highest)


def survey(part: Part, description: Table, sides: Sides) -> Survey:
    """Look at all rows of a part.

    Raises:
        DataError: something is wrong with it; the text says what and where.
    """
    found = Survey()
    digest = hashlib.sha256()
    found.parts.append(part.name)
    found.learned.append(0)
    for number, checked in enumerate(rows_of(part, description, sides)):
        if number == 0:
            _refuse_rules_across_rows(checked.table, description)
        digest.update(checked.hashes.astype("<u8").tobytes())
        found.add(checked, description)
    found.digests.append(digest.hexdigest())
    return found


def rows_of(part: Part, description: Table, sides: Sides) -> Iterator[Checked]:
    """The rows of a part, a batch at a time, in their order.

    Raises:
        DataError: something is wrong with them.
    """
    for batch in part.batches(description.columns):
        table = plain(check_columns(batch, description, part.name))
        if len(table):
            hashes = row_hashes(table)
            yield Checked(table, hashes, sides.of(table, hashes))


def learned_of(part: Part, description: Table, sides: Sides) -> Iterator[pd.DataFrame]:
    """The cleaned rows of a part that are learned from, a batch at a time, in their order."""
    for table, _, where in rows_of(part, description, sides):
        rows = clean(table[where == Side.LEARN], description.cleaning).table
        if len(rows):
            yield rows


def _by_side(found: Checked) -> Iterator[tuple[Side, pd.DataFrame, Hashes]]:
    for side in Side:
        of_side = found.sides == side
        yield side, found.table[of_side].reset_index(drop=True), found.hashes[of_side]


def _refuse_rules_across_rows(table: pd.DataFrame, description: Table) -> None:
    """A rule that compares a row with others, such as with their mean, would mean something else in each batch."""
    halves = np.array_split(np.arange(len(table)), 2)
    for rule in description.cleaning:
        whole = clean(table, (rule,)).table
        if [*whole.index] != [place for half in halves for place in clean(table.iloc[half], (rule,)).table.index]:
            raise DataError(
                f"The cleaning rule {rule.name} compares rows with others: {rule.drop!r}; in parts, a rule can "
                "only look at one row. Write the number in its place."
            )
