"""How a CSV is separated and its numbers are written, told from its first lines."""

import csv
import re
from collections.abc import Sequence
from itertools import islice, zip_longest

from api.scoring.files.words import MISSING

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
LOOKED_AT = 200
"""Rows at the head of a file that tell how it is separated."""

_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
_DECIMAL_POINT = re.compile(r"[-+]?\d*\.\d+")
_WHOLE = re.compile(r"[-+]?\d+")
_SEP_LINE = re.compile(r'"?sep=(.)"?\r?\n?')


def named_separator(lines: Sequence[str]) -> str:
    """The separator that Excel's own first line `sep=;` names, which is no row; empty where it is none of that."""
    match = _SEP_LINE.fullmatch(lines[0]) if lines else None
    return match[1] if match else ""


def find_separator(lines: Sequence[str]) -> str:
    """The one by which the first rows fall into equally many values, and into most; empty where none does."""
    found = {}
    for separator in SEPARATORS:
        widths = [len(row) for row in first_rows(lines, separator) if row]
        if widths and widths[0] > 1:
            found[separator] = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
    return max(found, key=lambda separator: found[separator], default="")


def first_rows(lines: Sequence[str], separator: str) -> list[list[str]]:
    """The first rows' values, that of the names included."""
    return list(islice(csv.reader(lines, delimiter=separator), LOOKED_AT))


def has_decimal_commas(rows: Sequence[Sequence[str]]) -> bool:
    """Whether more columns hold numbers with a comma than hold numbers with a point."""
    columns = [[value.strip() for value in column] for column in zip_longest(*rows, fillvalue="")]
    commas, points = (
        sum(_holds_numbers(column, fraction) for column in columns) for fraction in (_DECIMAL_COMMA, _DECIMAL_POINT)
    )
    return commas > points


def _holds_numbers(column: Sequence[str], fraction: re.Pattern[str]) -> bool:
    """Whether some values are written so, and they and whole numbers are half of the column: a text may look so."""
    present = [value for value in column if value not in MISSING]
    fractions = sum(fraction.fullmatch(value) is not None for value in present)
    whole = sum(_WHOLE.fullmatch(value) is not None for value in present)
    return fractions > 0 and 2 * (fractions + whole) >= len(present)
