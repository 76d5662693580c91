"""A column's values as its kind asks for them; what does not fit is said by row."""

import re
from collections.abc import Sequence
from numbers import Number
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from api.rows.fields import LARGEST, listed
from api.scoring.files.words import NO, YES
from api.scoring.files.words import written as written

_THOUSANDS = {
    ".": re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?"),
    ",": re.compile(r"[-+]?\d{1,3}(\.\d{3})+(,\d+)?"),
}

Fault = tuple[int, str]
"""A row, counted from 0, and what is wrong with its value."""

_GROUPED = "is written with separators of thousands: write it without"


def numbers(
    column: pd.Series, decimal: str, low: float | None, high: float | None, *, whole: bool
) -> tuple[pd.Series, list[Fault]]:
    """The column as float64, NaN where a value is missing."""
    missing = column.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy("float64", na_value=np.nan)
        texts: Any = values
    else:
        texts = [value.strip() if isinstance(value, str) else value for value in column.tolist()]
        prepared = [_prepared(value, decimal) for value in texts]
        values = pd.to_numeric(pd.Series(prepared, dtype=object), errors="coerce").to_numpy("float64")
    low, high = -LARGEST if low is None else low, LARGEST if high is None else high
    good = missing | (np.isfinite(values) & (values >= low) & (values <= high))
    if whole:
        good &= missing | (values == np.floor(values))
    faults = [(int(row), _wrong_number(texts[row], values[row], decimal, low, high)) for row in np.flatnonzero(~good)]
    return pd.Series(np.where(missing, np.nan, values), index=column.index), faults


def _prepared(value: Any, decimal: str) -> Any:
    """What `to_numeric` understands as the number that is written; nothing where it would misread it."""
    if not isinstance(value, str | Number) or isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, str) and "_" in value:
        return None
    if not isinstance(value, str) or decimal == ".":
        return value
    return None if "." in value else value.replace(",", ".")


def _wrong_number(text: Any, value: float, decimal: str, low: float, high: float) -> str:
    if isinstance(text, str) and _THOUSANDS[decimal].fullmatch(text):
        return f"{text!r} {_GROUPED}"
    if not np.isfinite(value):
        return f"{str(text)!r} is not a finite number"
    if value < low or value > high:
        return f"{value:.10g} is outside {low:.10g} to {high:.10g}"
    return f"{value:.10g} is not a whole number"


def only_grouped(faults: list[Fault]) -> bool:
    """Whether what is wrong with numbers is that their thousands are separated, and nothing else."""
    return bool(faults) and all(what.endswith(_GROUPED) for _, what in faults)


def yes_no(column: pd.Series, classes: Sequence[str] = ()) -> tuple[pd.Series, list[Fault]]:
    """The column as float64: 0 for no, 1 for yes, NaN where a value is missing.

    Written as true or false, yes or no, 1 or 0, a letter of these, or as the two classes.
    """
    named = {name: float(code) for code, name in enumerate(classes)}

    def code(text: str) -> float:
        if text in named:
            return named[text]
        return 1.0 if text.casefold() in YES else 0.0 if text.casefold() in NO else np.nan

    present = column.notna().to_numpy()
    places, texts = _different(column)
    codes = np.array([*map(code, texts), np.nan], float)[places]
    words = " or ".join(map(repr, classes)) if classes else "yes or no"
    faults = [
        (int(row), f"{written(column.iloc[row])!r} is not {words}") for row in np.flatnonzero(present & np.isnan(codes))
    ]
    return pd.Series(codes, index=column.index), faults


def categories(column: pd.Series, known: Sequence[str]) -> tuple[pd.Series, list[Fault]]:
    """The column as categorical with these categories, in this order."""
    places, texts = _different(column)
    numbers = {name: number for number, name in enumerate(known)}
    codes = np.array([*(numbers.get(text, -1) for text in texts), -1], np.int64)[places]
    shown = listed(list(map(repr, known)))
    faults = [
        (int(row), f"{texts[places[row]]!r} is not one of {shown}")
        for row in np.flatnonzero((codes < 0) & (places >= 0))
    ]
    return pd.Series(pd.Categorical.from_codes(codes, pd.Index(known, dtype=str)), index=column.index), faults


def _different(column: pd.Series) -> tuple[npt.NDArray[np.intp], list[str]]:
    """Each text that values are written as, and for each row which of them; -1 where a value is missing."""
    if column.dtype == object:  # values that are equal may be written in different ways, such as 1 and True
        texts = pd.Series(
            [written(value) if there else None for value, there in zip(column, column.notna(), strict=True)],
            dtype=object,
        )
        places, different = pd.factorize(texts)
        return places, list(different)
    places, different = pd.factorize(column)
    return places, [written(value) for value in different.tolist()]
