"""CSV and Parquet files as people have them; what was recognised is said, and nothing is guessed in silence."""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path, PurePath
from typing import NamedTuple

import pandas as pd

from api.scoring.files.dialect import SEPARATORS, find_separator, first_rows, has_decimal_commas, named_separator
from training.errors import DataError

HEAD_LINES = 1_000
"""Lines in which these rows are looked for: a value may go over several."""

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte order mark",
    "utf-16": "UTF-16",
    "cp1252": "Latin-1 (Windows-1252)",
}

_GZIP = b"\x1f\x8b"
_BLOCK = 1 << 20


class Read(NamedTuple):
    """A file's columns as they stand there: of a CSV all text, of Parquet typed."""

    table: pd.DataFrame
    recognised: str
    """How it was read, for a person to check."""
    decimal: str = "."
    """What stands before the fraction of a number that is text."""
    before: int = 0
    """Rows of the file that stand before these."""


Opener = Callable[[], io.BufferedReader]
"""Opens a file at its beginning, as often as it is asked."""


def read(file: Path) -> Read:
    """Read a file; columns keep their names, also where two have the same.

    Raises:
        DataError: it is no CSV or Parquet file, or none that can be read as a table.
    """
    with readable(str(file)):
        if kind_of(str(file)) == ".parquet":
            return Read(pd.read_parquet(file), "Parquet")
        return next(csv_batches(lambda: file.open("rb"), str(file), rows=None))


def kind_of(name: str) -> str:
    """The ending that says what a file is: `.parquet`, or one of a CSV's.

    Raises:
        DataError: it has neither.
    """
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes]
    kind = next((suffix for suffix in reversed(suffixes) if suffix != ".gz"), "")
    if kind not in (".csv", ".tsv", ".txt", ".parquet"):
        raise DataError(f"{name} is neither .csv nor .parquet: save the table as one of these.")
    return kind


@contextmanager
def readable(name: str) -> Iterator[None]:
    """What goes wrong in reading a file is said with its name.

    Raises:
        DataError: something did.
    """
    try:
        yield
    # pandas' and pyarrow's parse errors are ValueErrors.
    except (OSError, EOFError, ValueError, csv.Error, zlib.error) as error:
        raise DataError(f"{name} cannot be read: {' '.join(str(error).split())}") from error


class _Layout(NamedTuple):
    """How a CSV is written."""

    compressed: bool
    encoding: str
    skipped: int = 0
    """Lines before the names."""
    separator: str = ""
    names: Sequence[str] = ()
    decimal: str = "."

    @property
    def recognised(self) -> str:
        said = [
            f"CSV separated by {SEPARATORS.get(self.separator, repr(self.separator))}",
            f"decimal {'comma' if self.decimal == ',' else 'point'}",
            ENCODINGS[self.encoding],
        ]
        return ", ".join([*said, *(["gzip"] if self.compressed else [])])


def csv_batches(
    opened: Opener, name: str, *, rows: int | None, columns: Collection[str] | None = None
) -> Iterator[Read]:
    """The rows of a CSV, so many at a time; all at once where it is not said how many.

    It is read once more before that, to be recognised and to find rows that are too long.

    Args:
        opened: opens the file.
        name: the file's, for messages.
        rows: at most, in a batch.
        columns: only these; all of them where the file lacks one.
    """
    layout = _layout(opened, name)
    places = list(range(len(layout.names)))
    if columns is not None and set(columns) <= set(layout.names):
        places = [place for place in places if layout.names[place] in columns]
    before = 0
    with _text(opened, layout) as text:
        found = pd.read_csv(
            text, sep=layout.separator, header=None, names=range(len(layout.names)), skiprows=1 + layout.skipped,
            dtype=str, index_col=False, skip_blank_lines=True, usecols=places, chunksize=rows,
        )  # fmt: skip
        for table in [found] if isinstance(found, pd.DataFrame) else found:
            table.columns = pd.Index([layout.names[place] for place in places])
            yield Read(table.reset_index(drop=True), layout.recognised, layout.decimal, before)
            before += len(table)


def _layout(opened: Opener, name: str) -> _Layout:
    with opened() as raw:
        compressed = raw.read(len(_GZIP)) == _GZIP
    layout = _Layout(compressed, _encoding(opened, compressed=compressed))
    with _text(opened, layout) as text:
        lines = list(islice(text, HEAD_LINES))
    said = named_separator(lines[:1])
    layout = layout._replace(skipped=int(bool(said)))
    lines = lines[layout.skipped :]
    if not "".join(lines).strip():
        raise DataError(f"{name} is empty.")
    separator = said or find_separator(lines)
    if not separator:
        raise DataError(f"{name} has one column: separate values by commas, semicolons or tabs.")
    names, *rows = first_rows(lines, separator)
    with _text(opened, layout) as text:
        _refuse_longer(islice(text, layout.skipped, None), separator, len(names), name)
    decimal = "," if separator != "," and has_decimal_commas(rows) else "."
    return layout._replace(separator=separator, names=[column.strip() for column in names], decimal=decimal)


@contextmanager
def _content(opened: Opener, *, compressed: bool) -> Iterator[io.BufferedReader | gzip.GzipFile]:
    with opened() as raw:
        if not compressed:
            yield raw
            return
        with gzip.open(raw) as content:
            yield content


@contextmanager
def _text(opened: Opener, layout: _Layout) -> Iterator[io.TextIOWrapper]:
    with _content(opened, compressed=layout.compressed) as content:
        yield io.TextIOWrapper(content, layout.encoding, newline="\n")


def _encoding(opened: Opener, *, compressed: bool) -> str:
    """The first that fits the whole file."""
    with _content(opened, compressed=compressed) as content:
        head = content.read(3)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8", "cp1252"):
        decoder = codecs.getincrementaldecoder(encoding)()
        with _content(opened, compressed=compressed) as content, suppress(UnicodeDecodeError):
            while block := content.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
            return encoding
    raise ValueError("it is text neither in UTF-8 nor in Latin-1 (Windows-1252)")


def _refuse_longer(lines: Iterable[str], separator: str, width: int, name: str) -> None:
    rows = (row for row in csv.reader(lines, delimiter=separator) if row)
    for number, row in enumerate(rows):
        if len(row) > width:
            raise DataError(
                f"{name}, row {number} has more values than the first line has names: is there a separator too many?"
            )
