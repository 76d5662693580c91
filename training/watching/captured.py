"""Captured rows: the lines that the service keeps of requests, and the Parquet file that they become.

A feature has its own name in the file, so that with the target beside it the file is one to train on; everything else
has `PREFIX` before its name, which no feature may have.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Meta

from api.store.schema import Feature, Scalar, Schema
from training.errors import DataError, DescriptionError
from training.rows.files import read
from training.whole_file import replacing

PREFIX = "captured."
TIME = f"{PREFIX}time"
REQUEST_ID = f"{PREFIX}request_id"
ROW = f"{PREFIX}row"
MODEL_VERSION = f"{PREFIX}model_version"
PREDICTION = f"{PREFIX}prediction"
"""A number, or the most probable label."""
LOW, HIGH = f"{PREFIX}low", f"{PREFIX}high"
"""The ends of a number's interval; null where the model has none."""
PROBABILITY = f"{PREFIX}probability."
"""Before the name of each class."""
LABELS = f"{PREFIX}set"
EXTRAPOLATED = f"{PREFIX}extrapolated"

log = logging.getLogger(__name__)

Record = dict[str, Any]
"""A row of the file, by column."""

_ROWS_OF_A_GROUP = 50_000
_MOST_REASONS = 100


class _Line(msgspec.Struct, frozen=True):
    time: Annotated[datetime, Meta(tz=True)]
    request_id: str
    row: Annotated[int, Meta(ge=0)]
    model_version: str
    features: dict[str, Scalar | None]
    prediction: dict[str, Any]


class _Interval(msgspec.Struct, frozen=True):
    low: float
    high: float


class _Classes(msgspec.Struct, frozen=True):
    label: str
    probabilities: dict[str, float]
    set: list[str] | None = None
    extrapolated: list[str] = []


class Lines:
    """Reads the lines of one table's service, and counts by their reasons those that are not taken."""

    def __init__(self, schema: Schema) -> None:
        """Raises DescriptionError where a feature, or the target, has a name that the file needs for itself."""
        if taken := [name for name in (*schema.names, schema.target.name) if name.startswith(PREFIX)]:
            raise DescriptionError(
                f"Captured rows keep what is no feature under names that begin with {PREFIX!r}: rename {taken[0]!r}."
            )
        self.refused: Counter[str] = Counter()
        self.taken = 0
        self._features = {feature.name: feature for feature in schema.features}
        self._number = _number_type(schema) if schema.target.kind == "number" else None
        self._classes = set(schema.target.classes)

    def records(self, texts: Iterable[str]) -> Iterator[Record]:
        """The rows of those lines that hold one."""
        for text in texts:
            try:
                record = self._record(msgspec.json.decode(text, type=_Line))
            except msgspec.DecodeError as error:  # msgspec.ValidationError, which names the field, is one
                reason = str(error) if isinstance(error, msgspec.ValidationError) else "it is not JSON"
                self.refused[reason if len(self.refused) < _MOST_REASONS else "other reasons"] += 1
            else:
                self.taken += 1
                yield record

    def _record(self, line: _Line) -> Record:
        if others := line.features.keys() - self._features.keys():
            raise msgspec.ValidationError(f"the table has no feature {min(others)!r}")
        values = {name: _value(feature, line.features.get(name)) for name, feature in self._features.items()}
        return {
            **values,
            TIME: line.time,
            REQUEST_ID: line.request_id,
            ROW: line.row,
            MODEL_VERSION: line.model_version,
            **self._answer(line.prediction),
        }

    def _answer(self, prediction: dict[str, Any]) -> Record:
        if self._number:
            number: Any = msgspec.convert(prediction, self._number)
            low, high = (number.interval.low, number.interval.high) if number.interval else (None, None)
            return {PREDICTION: number.value, LOW: low, HIGH: high, EXTRAPOLATED: number.extrapolated}
        found = msgspec.convert(prediction, _Classes)
        if found.probabilities.keys() != self._classes or found.label not in self._classes:
            raise msgspec.ValidationError(f"its classes are not the table's: {', '.join(found.probabilities)}")
        probabilities = {f"{PROBABILITY}{name}": value for name, value in found.probabilities.items()}
        return {PREDICTION: found.label, **probabilities, LABELS: found.set, EXTRAPOLATED: found.extrapolated}


def _number_type(schema: Schema) -> type[msgspec.Struct]:
    """An answer whose number has the name that the table gives it."""
    return msgspec.defstruct(
        "Number",
        [("value", float), ("interval", _Interval | None, None), ("extrapolated", list[str], [])],
        rename={"value": schema.target.answer},
    )


def _value(feature: Feature, value: Scalar | None) -> Scalar | None:
    if value is None:
        if not feature.missing:
            raise msgspec.ValidationError(f"it has no {feature.name}")
        return None
    kind = {"boolean": bool, "category": str}.get(feature.kind, float)
    if type(value) is not kind:
        raise msgspec.ValidationError(f"{feature.name} is not a {feature.kind}")
    return value


def columns(schema: Schema) -> pa.Schema:
    """The file's columns."""
    kinds = {"boolean": pa.bool_(), "category": pa.string()}
    number = schema.target.kind == "number"
    answer = (
        [(PREDICTION, pa.float64()), (LOW, pa.float64()), (HIGH, pa.float64())]
        if number
        else [
            (PREDICTION, pa.string()),
            *((f"{PROBABILITY}{name}", pa.float64()) for name in schema.target.classes),
            (LABELS, pa.list_(pa.string())),
        ]
    )
    return pa.schema(
        [
            *((feature.name, kinds.get(feature.kind, pa.float64())) for feature in schema.features),
            (TIME, pa.timestamp("us", tz="UTC")),
            (REQUEST_ID, pa.string()),
            (ROW, pa.int64()),
            (MODEL_VERSION, pa.string()),
            *answer,
            (EXTRAPOLATED, pa.list_(pa.string())),
        ]
    )


def write(records: Iterable[Record], schema: Schema, out: Path) -> None:
    """Write rows to a Parquet file, a group at a time: there may be more than the memory holds.

    Raises:
        OSError: the disk says no; a file that was there before is as it was.
    """
    rows, wanted = iter(records), columns(schema)
    with replacing(out) as partial, pq.ParquetWriter(partial, wanted) as writer:
        while group := list(islice(rows, _ROWS_OF_A_GROUP)):
            writer.write_table(pa.Table.from_pylist(group, wanted))


def load(file: Path) -> pd.DataFrame:
    """A file of captured rows; a row that was kept twice, as a line or a request that was sent again, is there once.

    Raises:
        DataError: it is no such file.
    """
    table = read(file).table
    if missing := [name for name in (TIME, REQUEST_ID, ROW, MODEL_VERSION, PREDICTION) if name not in table]:
        raise DataError(f"{file} has no column {missing[0]}: give a file that `python -m training captured` wrote.")
    if table.empty:
        raise DataError(f"{file} has no rows.")
    same = [name for name in table.columns if name not in (TIME, LABELS, EXTRAPOLATED)]
    return table.drop_duplicates(same, ignore_index=True)


def write_table(table: pd.DataFrame, out: Path) -> None:
    """Write rows that are at hand, likewise."""
    with replacing(out) as partial:
        table.to_parquet(partial, index=False)


def of_version(table: pd.DataFrame, version: int | None) -> pd.DataFrame:
    """The rows that a version answered; without one, the version that answered last.

    Raises:
        DataError: there are none of it.
    """
    counts = table[MODEL_VERSION].value_counts()
    wanted = str(version or table.sort_values(TIME)[MODEL_VERSION].iloc[-1])
    if wanted not in counts:
        raise DataError(
            f"Version {wanted} answered none of the rows; there are rows of version {', '.join(counts.index)}."
        )
    if others := [f"{count:,} of version {name}" for name, count in counts.items() if name != wanted]:
        log.info("Rows of version %s are compared; --against N compares others: %s", wanted, ", ".join(others))
    return table[table[MODEL_VERSION] == wanted].reset_index(drop=True)
