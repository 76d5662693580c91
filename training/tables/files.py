"""CSV and Parquet files as people have them; what was recognised is said, and nothing is guessed in silence."""

import csv
import gzip
import io
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from pandas.errors import ParserError

from training.errors import DataError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
LOOKED_AT = 200
"""Lines at the head of a file that tell how it is separated."""

_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
_DECIMAL_POINT = re.compile(r"[-+]?\d*\.\d+")
_GZIP = b"\x1f\x8b"


class Read(NamedTuple):
    """A file's columns as they stand there: of a CSV all text, of Parquet typed."""

    table: pd.DataFrame
    recognised: str
    """How it was read, for a person to check."""
    decimal: str = "."
    """What stands before the fraction of a number that is text."""


def read(file: Path) -> Read:
    """Read a file; columns keep their names, also where two have the same.

    Raises:
        DataError: it is no CSV or Parquet file, or none that can be read as a table.
    """
    suffixes = [suffix.lower() for suffix in file.suffixes]
    kind = next((suffix for suffix in reversed(suffixes) if suffix != ".gz"), "")
    if kind not in (".csv", ".tsv", ".txt", ".parquet"):
        raise DataError(f"{file} is neither .csv nor .parquet: save the table as one of these.")
    try:
        if kind == ".parquet":
            return Read(pd.read_parquet(file), "Parquet")
        return _csv(file)
    except (OSError, EOFError, ValueError) as error:  # pandas' and pyarrow's parse errors are ValueErrors
        raise DataError(f"{file} cannot be read: {' '.join(str(error).split())}") from error


def _csv(file: Path) -> Read:
    raw = file.read_bytes()
    recognised = []
    if raw.startswith(_GZIP):
        raw = gzip.decompress(raw)
        recognised.append("gzip")
    text, encoding = _decoded(raw)
    text, said = _without_sep_line(text)
    separator = said or _separator(text, file)
    lines = list(islice(csv.reader(io.StringIO(text), delimiter=separator), LOOKED_AT))
    if not lines:
        raise DataError(f"{file} is empty.")
    names, *rows = lines
    decimal = "," if separator != "," and _has_decimal_commas(rows) else "."
    recognised = [
        f"CSV separated by {SEPARATORS.get(separator, repr(separator))}",
        f"decimal {'comma' if decimal == ',' else 'point'}",
        encoding,
        *recognised,
    ]
    return Read(_table(text, separator, names, file), ", ".join(recognised), decimal)


def _decoded(raw: bytes) -> tuple[str, str]:
    if raw.startswith(b"\xef\xbb\xbf"):
        return raw.decode("utf-8-sig"), "UTF-8 with a byte order mark"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16"), "UTF-16"
    try:
        return raw.decode(), "UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("cp1252"), "Latin-1 (Windows-1252)"
    except UnicodeDecodeError as error:
        raise ValueError("it is text neither in UTF-8 nor in Latin-1 (Windows-1252)") from error


def _without_sep_line(text: str) -> tuple[str, str]:
    """Excel's own first line `sep=;` names the separator and is no row."""
    first, _, rest = text.partition("\n")
    match = re.fullmatch(r'"?sep=(.)"?\r?', first)
    return (rest, match[1]) if match else (text, "")


def _separator(text: str, file: Path) -> str:
    """The one by which the first lines fall into equally many values, and into most."""
    found = {}
    for separator in SEPARATORS:
        widths = [len(row) for row in islice(csv.reader(io.StringIO(text), delimiter=separator), LOOKED_AT) if row]
        if widths and widths[0] > 1:
            found[separator] = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
    if not found:
        raise DataError(f"{file} has one column: separate values by commas, semicolons or tabs.")
    return max(found, key=lambda separator: found[separator])


def _has_decimal_commas(rows: list[list[str]]) -> bool:
    values = [value.strip() for row in rows for value in row]
    return any(map(_DECIMAL_COMMA.fullmatch, values)) and not any(map(_DECIMAL_POINT.fullmatch, values))


def _table(text: str, separator: str, names: list[str], file: Path) -> pd.DataFrame:
    if (row := next(_longer(text, separator, len(names)), None)) is not None:
        raise DataError(
            f"{file}, row {row} has more values than the first line has names: is there a separator too many?"
        )
    try:
        table = pd.read_csv(
            io.StringIO(text), sep=separator, header=None, names=range(len(names)), skiprows=1, dtype=str,
            index_col=False, skip_blank_lines=True,
        )  # fmt: skip
    except ParserError as error:
        raise DataError(f"{file} cannot be read: {' '.join(str(error).split())}") from error
    table.columns = pd.Index([name.strip() for name in names])
    return table


def _longer(text: str, separator: str, width: int) -> Iterator[int]:
    rows = (row for row in csv.reader(io.StringIO(text), delimiter=separator) if row)
    yield from (number for number, row in enumerate(rows) if len(row) > width)
