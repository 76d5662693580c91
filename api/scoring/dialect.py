"""How a CSV is separated and its numbers are written, told from its first lines."""

import csv
import io
import re
from collections.abc import Sequence
from itertools import islice

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
LOOKED_AT = 200
"""Lines at the head of a file that tell how it is separated."""

_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
_DECIMAL_POINT = re.compile(r"[-+]?\d*\.\d+")


def without_sep_line(text: str) -> tuple[str, str]:
    """The text without Excel's own first line `sep=;`, which is no row, and the separator that the line names."""
    first, _, rest = text.partition("\n")
    match = re.fullmatch(r'"?sep=(.)"?\r?', first)
    return (rest, match[1]) if match else (text, "")


def find_separator(text: str) -> str:
    """The one by which the first lines fall into equally many values, and into most; empty where none does."""
    found = {}
    for separator in SEPARATORS:
        widths = [len(row) for row in first_rows(text, separator) if row]
        if widths and widths[0] > 1:
            found[separator] = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
    return max(found, key=lambda separator: found[separator], default="")


def first_rows(text: str, separator: str) -> list[list[str]]:
    """The first lines' values, that of the names included."""
    return list(islice(csv.reader(io.StringIO(text), delimiter=separator), LOOKED_AT))


def has_decimal_commas(rows: Sequence[Sequence[str]]) -> bool:
    """Whether numbers are written with a comma, and none with a point."""
    values = [value.strip() for row in rows for value in row]
    return any(map(_DECIMAL_COMMA.fullmatch, values)) and not any(map(_DECIMAL_POINT.fullmatch, values))
