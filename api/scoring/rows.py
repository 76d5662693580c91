"""A part's rows in the model's own numbers, and what the service would refuse of them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from api.errors import ScoringError
from api.http.problems import Fault, ProblemError
from api.rows.reader import RowReader
from api.scoring import columns
from api.scoring.files.reading import Batch, Notation, Part
from api.store.schema import Schema
from api.trees.walk import Rows


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with a row."""

    part: str
    row_number: int
    """Counted from 1, without a CSV's line of names."""
    column: str
    """Empty for the row as a whole."""
    problem: str
    value: str = ""
    allowed: str = ""

    @classmethod
    def of(cls, part: str, row_number: int, fault: Fault) -> "Refusal":
        """What the service would have answered of the row."""
        return cls(part, row_number, fault.field, fault.problem, fault.value, fault.allowed)


class Read(NamedTuple):
    """What a batch holds."""

    rows: Rows
    """Of shape (n, features), in the model's own numbers."""
    sound: npt.NDArray[np.bool_]
    """Which rows may be predicted."""
    refusals: list[Refusal]
    """What is wrong with the others, and with torn lines, in the order of the rows."""


class PartReader:
    """Reads the rows of one part.

    Raises:
        ScoringError: the part has not the columns that the model needs.
    """

    def __init__(self, name: str, part: Part, reader: RowReader, schema: Schema) -> None:
        self.name, self.reader, self.schema = name, reader, schema
        self.notation: Notation = part.notation
        names = part.schema.names
        missing = [feature.name for feature in schema.features if not feature.missing and feature.name not in names]
        if missing:
            raise ScoringError(f"{name} has no column {missing[0]!r}, which the model needs (it has {_some(names)})")
        self.columns = [name for name in schema.names if name in names]
        """The features that the part has; others may be left out."""
        for feature in schema.features:
            if feature.name in self.columns:
                columns.refuse_type(feature, part.schema.field(names.index(feature.name)).type)

    def read(self, batch: Batch) -> Read:
        """The rows of a batch."""
        rows = np.full((len(batch.columns), len(self.schema.features)), np.nan, np.float32)
        doubtful = np.zeros(len(rows), np.bool_)
        for place, feature in enumerate(self.schema.features):
            if feature.name in self.columns:
                column = columns.read(batch.columns.column(feature.name), feature, self.notation)
                doubtful |= column.doubtful
                with np.errstate(over="ignore"):
                    rows[:, place] = column.numbers
        sound = np.ones(len(rows), np.bool_)
        refusals = [
            Refusal(self.name, each.row, "", f"the line has {each.values} values, and the first has {each.expected}")
            for each in batch.torn
        ]
        for row, values in self._doubtful(batch, np.flatnonzero(doubtful)):
            try:
                rows[row] = np.array(self.reader.sent(values), np.float32)
            except ProblemError as problem:
                sound[row] = False
                refusals += [Refusal.of(self.name, int(batch.numbers[row]), fault) for fault in problem.errors]
        return Read(rows, sound, sorted(refusals, key=lambda refusal: refusal.row_number))

    def _doubtful(self, batch: Batch, places: npt.NDArray[np.intp]) -> Iterator[tuple[int, dict[str, object]]]:
        """The rows at these places, as a client would send them."""
        features = [feature for feature in self.schema.features if feature.name in self.columns]
        for start in range(0, len(places), 1024):
            some = places[start : start + 1024]
            taken = [batch.columns.column(feature.name).take(some).to_pylist() for feature in features]
            for row, values in zip(some.tolist(), zip(*taken, strict=True), strict=True):
                given = zip(features, values, strict=True)
                yield row, {feature.name: columns.sent(value, feature, self.notation) for feature, value in given}


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:10])) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
