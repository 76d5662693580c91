"""A column of a file as the model's own numbers, all rows at once, as strictly as the service reads them one by one.

What is plainly sound is decided here. Everything else is doubtful, and left to the service's own reader, which is given
the value that a client would have sent (`sent`); so there is one judge of what is refused, and why.
"""

import math
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as types

from api.errors import ScoringError
from api.rows.fields import LARGEST
from api.scoring.files.reading import Notation
from api.scoring.files.words import NO, NUMBER, YES, written
from api.store.schema import Feature

_ANSWERS = [*sorted(NO), *sorted(YES)]


class Column(NamedTuple):
    """The values of one feature."""

    numbers: npt.NDArray[np.float64]
    """NaN where a value is missing."""
    doubtful: npt.NDArray[np.bool_]
    """Where a number is not to be relied on."""


def refuse_type(feature: Feature, type_: pa.DataType) -> None:
    """Refuse a column of a type that holds no values of this feature.

    Raises:
        ScoringError: it is one of dates, lists or the like.
    """
    plain = type_.value_type if types.is_dictionary(type_) else type_
    if types.is_temporal(plain) or not (
        _is_text(plain) or types.is_null(plain) or types.is_primitive(plain) or types.is_decimal(plain)
    ):
        raise ScoringError(f"column {feature.name!r} is of type {type_}, and the model takes a {feature.kind}")


def read(values: pa.Array, feature: Feature, notation: Notation) -> Column:
    """The column of this feature."""
    if types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if _is_text(values.type):
        values = _text(values, notation)
    missing = pc.is_null(values, nan_is_null=types.is_floating(values.type)).to_numpy(zero_copy_only=False)
    match feature.kind:
        case "category":
            numbers, sound = _codes(values, feature)
        case "boolean":
            numbers, sound = _yes_no(values)
        case _:
            numbers, sound = _numbers(values, feature, notation)
    numbers[missing] = np.nan
    return Column(numbers, ~np.where(missing, feature.missing, sound))


def sent(value: Any, feature: Feature, notation: Notation) -> Any:
    """A value as a client would send it; what is no value of the feature's kind as it stands."""
    if isinstance(value, str):
        value = value.strip()
        if value in notation.missing:
            return None
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    match feature.kind:
        case "category":
            return written(value)
        case "boolean":
            text = written(value).lower()
            return True if text in YES else False if text in NO else value
    if isinstance(value, str):
        return _number(value, notation)
    return float(value) if isinstance(value, Decimal) else value


def _number(text: str, notation: Notation) -> int | float | str:
    plain = text if notation.decimal == "." or "." in text else text.replace(notation.decimal, ".")
    if not NUMBER.fullmatch(plain) or (notation.decimal != "." and "." in text):
        return text
    return int(plain) if plain.lstrip("+-").isdecimal() and len(plain) < 16 else float(plain)


def _text(values: pa.Array, notation: Notation) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(values.cast(pa.string()))
    if not notation.missing:
        return trimmed
    return pc.if_else(pc.is_in(trimmed, pa.array(notation.missing)), pa.scalar(None, pa.string()), trimmed)


def _numbers(values: pa.Array, feature: Feature, notation: Notation) -> tuple[Any, Any]:
    numbers = _floats(values, notation)
    low = -LARGEST if feature.low is None else feature.low
    high = LARGEST if feature.high is None else feature.high
    sound = (numbers >= low) & (numbers <= high)
    if feature.kind == "integer":
        sound &= numbers == np.floor(numbers)
    return numbers, sound


def _floats(values: pa.Array, notation: Notation) -> npt.NDArray[np.float64]:
    """As float64, the nearest to what is written; NaN for what is no number."""
    if types.is_decimal(values.type):
        values = values.cast(pa.string())
    elif types.is_boolean(values.type):
        values = pa.nulls(len(values), pa.float64())
    elif _is_text(values.type):
        values = _parsed(values, notation)
    # Arrow's own memory may not be written to.
    return np.array(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)


def _parsed(texts: pa.Array, notation: Notation) -> pa.Array:
    nothing = pa.scalar(None, pa.string())
    if notation.decimal != ".":
        pointed = pc.replace_substring(texts, notation.decimal, ".")
        texts = pc.if_else(pc.match_substring(texts, "."), nothing, pointed)
    try:
        return texts.cast(pa.float64())
    except pa.ArrowInvalid:
        # One text that is no number would end the conversion of all.
        return pc.if_else(pc.match_substring_regex(texts, f"^(?:{NUMBER.pattern})$"), texts, nothing).cast(pa.float64())


def _yes_no(values: pa.Array) -> tuple[Any, Any]:
    if not _is_text(values.type):
        numbers = np.array(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
        return numbers, (numbers == 0) | (numbers == 1)
    places = _places(pc.ascii_lower(values), _ANSWERS)
    return np.where(places >= len(NO), 1.0, 0.0), places >= 0


def _codes(values: pa.Array, feature: Feature) -> tuple[Any, Any]:
    whole = np.True_
    if types.is_floating(values.type):
        numbers = values.to_numpy(zero_copy_only=False)
        with np.errstate(invalid="ignore"):
            whole = np.abs(numbers) < 2**53
            whole &= numbers == np.floor(numbers)
            values = pa.array(np.where(whole, numbers, 0).astype(np.int64))
    places = _places(values.cast(pa.string()), list(feature.categories))
    return places.astype(np.float64), (places >= 0) & whole


def _places(texts: pa.Array, known: list[str]) -> npt.NDArray[np.int64]:
    """The place of each text among those known; -1: it is none of them."""
    found = pc.index_in(texts, pa.array(known, pa.string())).fill_null(-1)
    return np.asarray(found, np.int64)


def _is_text(type_: pa.DataType) -> bool:
    return bool(types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_))
