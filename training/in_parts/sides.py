"""Which rows are learned from and which are not, told from each row alone: the same in any order of the parts.

Rows that are the same are on one side, and so are whole groups, or the rows of one moment.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.errors import DataError
from training.rows.checks import check_columns
from training.rows.parts import Part
from training.rows.splitting import SEED
from training.tables.description import SplitSays, Table

ASIDE = 0.05
"""Of the rows that are not held out, the share that chooses among models, and the share that sets intervals."""

Hashes = npt.NDArray[np.uint64]


class Side(IntEnum):
    """What a row is for; in time, in this order."""

    LEARN = 0
    CHOOSE = 1
    CALIBRATE = 2
    HELD_OUT = 3


def row_hashes(table: pd.DataFrame) -> Hashes:
    """A number for each row, the same for rows of the same values, in whatever part they are."""
    return np.asarray(pd.util.hash_pandas_object(table, index=False), np.uint64)


def shuffled(hashes: Hashes, seed: int) -> Hashes:
    """Other numbers for the same rows, by another seed unrelated to these."""
    mixed: Hashes = pd.util.hash_array(hashes + np.uint64(seed))
    return mixed


class Sides(NamedTuple):
    """How rows are told apart: by where their place lies between the cuts."""

    says: SplitSays
    cuts: tuple[Any, ...]
    """Three, ascending: where the rows begin that choose, that calibrate and that are held out."""

    def of(self, table: pd.DataFrame, hashes: Hashes) -> npt.NDArray[np.int8]:
        """The side of each row of a checked table, of which `hashes` are the rows' hashes."""
        if self.says.by == "time":
            places = table[self.says.column]
            sides: npt.NDArray[np.int8] = np.sum(
                [(places >= cut).to_numpy(np.int8) for cut in self.cuts], axis=0, dtype=np.int8
            )
            return sides
        if self.says.by == "group":
            hashes = row_hashes(table[[self.says.column]])
        return np.searchsorted(np.array(self.cuts), _place(hashes), side="right").astype(np.int8)


def values_of(part: Part, description: Table) -> pd.Series:
    """How often each value of the column that splits the rows is there in a part; nothing where none does."""
    if description.split.by == "random":
        return pd.Series(dtype="int64")
    names = [description.split.column]
    tables = (plain(check_columns(batch, description, part.name, names)) for batch in part.batches(names))
    return _added([table[names[0]].value_counts() for table in tables])


def cut(says: SplitSays, counts: Iterable[pd.Series]) -> Sides:
    """The sides of a table of which these are the values of each part, see `values_of`.

    Raises:
        DataError: the column has too few values for four sides.
    """
    rest = 1 - says.held_out
    shares = np.array([rest * (1 - 2 * ASIDE), rest * (1 - ASIDE), rest])
    if says.by == "random":
        return Sides(says, tuple(shares))
    found = _added(list(counts))
    if len(found) < len(Side):
        raise DataError(
            f"{says.column}, which splits the rows, has {len(found)} values; training in parts needs at least "
            f"{len(Side)}, as rows of one value stay together."
        )
    if says.by == "group":
        places = np.sort(_place(row_hashes(pd.DataFrame({says.column: found.index}))))
        first = _distinct((shares * len(places)).round().astype(int), len(places))
        return Sides(says, tuple(places[first]))
    found = found.sort_index()
    first = _distinct(np.searchsorted(found.cumsum().to_numpy(), shares * found.sum(), side="right"), len(found))
    return Sides(says, tuple(found.index[first]))


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers as float64: a part whose whole numbers are stored as such does not differ from its neighbour."""
    numbers = table.select_dtypes(["number", "bool", "boolean"]).columns
    return table.astype(dict.fromkeys(numbers, "float64"))


def _place(hashes: Hashes) -> npt.NDArray[np.float64]:
    """From 0 to 1, evenly."""
    places: npt.NDArray[np.float64] = shuffled(hashes, SEED) / 2.0**64
    return places


def _added(counts: list[pd.Series]) -> pd.Series:
    found: pd.Series = pd.concat(counts).groupby(level=0, observed=True).sum()
    return found[found > 0]


def _distinct(first: npt.NDArray[np.integer], count: int) -> npt.NDArray[np.integer]:
    """Each side has at least one value."""
    for place in range(len(first)):
        first[place] = min(max(first[place], first[place - 1] + 1 if place else 1), count - len(first) + place)
    return first
