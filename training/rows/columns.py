"""What a column seems to be: its kind and range, or why a person must decide about it."""

import math
import re
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from training.rows import values
from training.tables.description import FeatureSays

MOST_CATEGORIES = 200
"""Of a column of texts; with more it is a name or free text."""

SHARE_OF_CATEGORIES = 0.2
"""Of the rows: texts that are hardly ever repeated are no categories."""

MOSTLY = 0.95

LARGEST_EXACT = 2.0**53
"""Whole numbers above it lose digits as float64."""

_SIGNED_NUMBER = re.compile(r"[-+(]?\s*([$€£¥]\s*[-+]?\d[\d.,]*|\d[\d.,]*\s*[%$€£¥])\s*\)?")


class Column(NamedTuple):
    """A column as it would be described; `says` is None where a person must decide first."""

    name: str
    says: FeatureSays | None
    remark: str = ""


def look_at(column: pd.Series, name: str, decimal: str) -> Column:
    """Tell a column's kind from its values."""
    if not name:
        return Column(name, None, "has no name: an index that was written beside the columns?")
    present = column.dropna()
    missing = len(present) < len(column)
    distinct = present.astype(str).nunique()
    if distinct == 0:
        return Column(name, None, "has no values")
    if distinct == 1:
        return Column(name, None, f"is {values.written(present.iloc[0])!r} in every row: it teaches nothing")
    if distinct == 2 and not values.yes_no(present)[1]:
        example = bool(values.yes_no(present)[0].iloc[0])
        return Column(name, FeatureSays(kind="boolean", missing=missing, example=example))
    typed, faults = values.numbers(column, decimal, None, None, whole=False)
    grouped = values.only_grouped(faults)
    if not grouped and _is_date(present):
        return Column(
            name, None, "holds dates: give what matters of them as numbers, such as the year or the age in days"
        )
    if not faults:
        return _number(typed.dropna(), name, missing=missing, all_different=distinct == len(present))
    found = _text(present, name, missing=missing)
    few = len(faults) < (0.5 if found.says is None else 1 - MOSTLY) * len(present)
    if grouped or few:
        row, what = faults[0]
        number = f"{len(faults)} value{'s' * (len(faults) > 1)}"
        return Column(name, None, f"holds numbers but for {number}, such as row {row + 1}: {what}")
    return found


def _number(numbers: pd.Series, name: str, *, missing: bool, all_different: bool) -> Column:
    whole = bool((numbers == np.floor(numbers)).all())
    identifies = whole and all_different and len(numbers) > 1
    if identifies and numbers.max() - numbers.min() < 2 * len(numbers):
        return Column(name, None, "counts the rows: an identifier teaches nothing")
    if identifies and numbers.abs().max() > LARGEST_EXACT:
        return Column(name, None, "has another, very large number in every row: an identifier teaches nothing")
    low, high = with_room(float(numbers.min()), float(numbers.max()))
    if whole:
        low, high = float(math.floor(low)), float(math.ceil(high))
    middle = float(numbers.quantile(0.5, interpolation="nearest"))
    return Column(
        name,
        FeatureSays(
            kind="integer" if whole else "number", low=low, high=high, missing=missing,
            example=int(middle) if whole else middle,
        ),
        f"{name} has another value in every row: leave it out if it is an identifier." if identifies else "",
    )  # fmt: skip


def _text(present: pd.Series, name: str, *, missing: bool) -> Column:
    texts = present.map(values.written)
    counts = texts.value_counts()
    shown = str(texts.iloc[0])[:40]
    signed = ""
    if texts.str.fullmatch(_SIGNED_NUMBER).mean() > MOSTLY:
        signed = f"holds numbers with a sign, such as {shown!r}: write them without to have numbers"
    if len(counts) > MOST_CATEGORIES or len(counts) > max(2, SHARE_OF_CATEGORIES * len(texts)):
        free = f"has {len(counts):,} different texts, such as {shown!r}: a name, or free text"
        return Column(name, None, signed or free)
    says = FeatureSays(
        kind="category", categories=tuple(sorted(counts.index)), missing=missing, example=str(counts.index[0])
    )
    return Column(name, says, f"{name} {signed}." if signed else "")


def _is_date(present: pd.Series) -> bool:
    if pd.api.types.is_datetime64_any_dtype(present) or present.map(lambda value: isinstance(value, date)).any():
        return True
    texts = present.head(200).astype(str)
    if pd.api.types.is_numeric_dtype(present) or not texts.str.contains(r"\d[-/.:]\d").mean() > MOSTLY:
        return False
    if pd.to_numeric(texts, errors="coerce").notna().any():
        return False
    return bool(pd.to_datetime(texts, errors="coerce", format="mixed").notna().mean() > MOSTLY)


def with_room(low: float, high: float) -> tuple[float, float]:
    """Round bounds that leave half as much room again as the values span; what is not negative stays so."""
    room = (high - low) / 2 or abs(high) or 1.0
    floor = 0.0 if 0 <= low < room else _rounded(low - room, math.floor)
    return floor, _rounded(high + room, math.ceil)


def _rounded(value: float, to_whole: Callable[[float], int]) -> float:
    """Two digits of it."""
    if value == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return float(f"{to_whole(value / step) * step:.10g}")
