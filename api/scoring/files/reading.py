"""Reads a part batch by batch, in memory that does not grow with it: Parquet as typed, a CSV's cells as text."""

import codecs
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from api.errors import ScoringError
from api.scoring.files.dialect import find_separator, first_rows, has_decimal_commas, named_separator
from api.scoring.files.parts import PARQUET, kind
from api.scoring.files.words import MISSING

ROWS = 2**16
"""In a batch, which is also a row group of what is written."""
CSV_BYTES = 2**23
HEAD = 2**18
"""Bytes at the head of a CSV that tell how it is written."""

_GZIP = b"\x1f\x8b"
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_UNREADABLE = (pa.ArrowException, EOFError, OSError, UnicodeError)


class Notation(NamedTuple):
    """How values are written that are text."""

    decimal: str = "."
    """What stands before the fraction of a number."""
    missing: Sequence[str] = ()
    """The texts of missing values, beside null."""


class Torn(NamedTuple):
    """A line of a CSV that has not as many values as the first has names."""

    row: int
    """Counted from 1, without the line of names."""
    values: int
    expected: int


class Batch(NamedTuple):
    """Rows of a part, and the torn ones among them."""

    columns: pa.RecordBatch
    numbers: Sequence[int]
    """Of each row in the part, counted from 1."""
    torn: list[Torn]


class Part(Protocol):
    """An open part."""

    schema: pa.Schema
    """Of all its columns."""
    notation: Notation

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """Its rows with these columns, each of which it has once.

        Raises:
            ScoringError: it cannot be read to its end.
        """


def open_part(file: Path, name: str) -> Part:
    """Open the file of a part of that name.

    Raises:
        ScoringError: it cannot be read as a table.
    """
    try:
        return ParquetPart(file, name) if kind(name) == PARQUET else CsvPart(file, name)
    except _UNREADABLE as error:
        raise _unreadable(name, error) from error


class ParquetPart:
    """Typed columns; null and NaN are missing values."""

    notation = Notation()

    def __init__(self, file: Path, name: str) -> None:
        self.name = name
        # Read as it is needed: else a row group, however large, would be in memory as a whole.
        self.file = pq.ParquetFile(file, pre_buffer=False, buffer_size=2**20)
        self.schema = self.file.schema_arrow

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """See `Part.batches`."""
        first = 1
        for batch in _read(self.name, self.file.iter_batches(ROWS, columns=list(columns), use_threads=False)):
            yield Batch(batch.select(list(columns)), range(first, first + len(batch)), [])
            first += len(batch)


class CsvPart:
    """Cells as text; what is separated how, and written how, is told from the first lines, as training tells it."""

    def __init__(self, file: Path, name: str) -> None:
        self.file, self.name = file, name
        with file.open("rb") as raw:
            self.compression = "gzip" if raw.read(2) == _GZIP else None
        with self._stream() as stream:
            head = stream.read(HEAD)
        text, self.encoding = _decoded(head)
        lines = text.splitlines(keepends=True)
        if len(head) == HEAD:
            lines.pop()
        said = named_separator(lines)
        self.skipped = int(bool(said))
        self.separator = said or find_separator(lines) or ","
        names, *rows = first_rows(lines[self.skipped :], self.separator) or [[]]
        if not names:
            raise ScoringError(f"{name} is empty: it has no line of names")
        self.schema = pa.schema([(each.strip(), pa.string()) for each in names])
        decimal = "," if self.separator != "," and has_decimal_commas(rows) else "."
        self.notation = Notation(decimal, MISSING)
        self.torn: list[Torn] = []

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """See `Part.batches`."""
        places = {name: str(place) for place, name in enumerate(self.schema.names)}
        with self._stream() as stream:
            reader = pa_csv.open_csv(
                stream,
                pa_csv.ReadOptions(
                    use_threads=False,
                    block_size=CSV_BYTES,
                    encoding=self.encoding,
                    skip_rows=self.skipped,
                    skip_rows_after_names=1,
                    column_names=list(map(str, range(len(self.schema)))),
                ),
                pa_csv.ParseOptions(
                    delimiter=self.separator, newlines_in_values=True, invalid_row_handler=self._note_torn
                ),
                pa_csv.ConvertOptions(
                    column_types={str(place): pa.string() for place in range(len(self.schema))},
                    include_columns=[places[name] for name in columns],
                    strings_can_be_null=False,
                ),
            )
            first = 1
            for block in _read(self.name, reader):
                for start in range(0, len(block), ROWS):
                    batch = block.slice(start, ROWS).rename_columns(list(columns))
                    numbers, torn = self._number(first, len(batch))
                    first = int(numbers[-1]) + 1
                    yield Batch(batch, numbers, torn)
            if self.torn:
                yield Batch(pa.RecordBatch.from_pylist([], reader.schema).rename_columns(list(columns)), [], self.torn)

    def _stream(self) -> pa.NativeFile:
        return pa.input_stream(self.file, compression=self.compression)

    def _note_torn(self, row: pa_csv.InvalidRow) -> str:
        self.torn.append(Torn(row.number - 1, row.actual_columns, row.expected_columns))
        return "skip"

    def _number(self, first: int, count: int) -> tuple[Sequence[int], list[Torn]]:
        """The numbers of the next rows, and the torn ones before the last of them; the parser is ahead of both."""
        if not self.torn:
            return range(first, first + count), []
        numbers = np.arange(first, first + count + len(self.torn))
        numbers = numbers[~np.isin(numbers, [each.row for each in self.torn])][:count]
        torn = [each for each in self.torn if each.row < numbers[-1]]
        self.torn = self.torn[len(torn) :]
        return numbers.tolist(), torn


def _read(name: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches that have rows; what the reading of one runs into is said by the part's name."""
    remaining = iter(batches)
    while True:
        try:
            batch = next(remaining, None)
        except _UNREADABLE as error:
            raise _unreadable(name, error) from error
        if batch is None:
            return
        if len(batch):
            yield batch


def _decoded(head: bytes) -> tuple[str, str]:
    """The text of the first bytes, which may end within a letter, and its encoding."""
    encoding = next((encoding for mark, encoding in _MARKS.items() if head.startswith(mark)), "utf-8")
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head), encoding.removesuffix("-sig")
    except UnicodeDecodeError:
        return head.decode("cp1252"), "cp1252"


def _unreadable(name: str, error: Exception) -> ScoringError:
    hint = ": save it as UTF-8" if isinstance(error, UnicodeError) or "UTF8" in str(error) else ""
    return ScoringError(f"{name} cannot be read: {' '.join(str(error).split())}{hint}")
