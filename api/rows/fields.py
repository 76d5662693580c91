"""One feature in a request: its type, what may be sent in words, and its number in the model."""

from collections.abc import Sequence
from operator import getitem
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta, UnsetType

from api.store.schema import Feature, Schema

LARGEST = 3.4028234663852886e38
"""The largest float32: the model's own numbers hold no more."""

MOST_LISTED = 20

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


class Field(NamedTuple):
    """How a feature is read from a request."""

    name: str
    type: Any
    """Of its value, null included where it may be missing."""
    declared: Any
    """The same with what the documents say of it, for a struct; unset where it may be missing and is left out."""
    allowed: str
    """What may be sent."""
    optional: bool
    yes_no: bool
    codes: dict[Any, float] | None
    """Of a category: the number of each value in the model."""


def described(kind: Any, **meta: Any) -> Any:
    """A type with what the documents say of it; for types that are only known once a model is loaded."""
    return getitem(Annotated, (kind, Meta(**{name: value for name, value in meta.items() if value is not None})))


def in_words(count: int) -> str:
    """A small count as a word."""
    return _WORDS[count] if count < len(_WORDS) else f"{count:,}"


def listed(texts: Sequence[str]) -> str:
    """All of a few, the first of many and how many more there are."""
    more = len(texts) - MOST_LISTED
    return ", ".join(texts[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


def capitalised(text: str) -> str:
    """The text with a capital letter first, and otherwise as it is."""
    return text[:1].upper() + text[1:]


def lowered(text: str) -> str:
    """The text as it stands within a sentence: its first letter small, unless it begins with an abbreviation."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def make_fields(schema: Schema) -> tuple[Field, ...]:
    """The fields of a row, in the model's order."""
    return tuple(_field(feature) for feature in schema.features)


def _field(feature: Feature) -> Field:
    kind = _kind(feature)
    read = kind | None if feature.missing else kind
    codes = None
    if feature.kind == "category":
        codes = {category: float(code) for code, category in enumerate(feature.categories)}
    return Field(
        name=feature.name,
        type=read,
        declared=described(
            read | UnsetType if feature.missing else read,
            title=feature.label,
            description=_description(feature) or None,
            examples=None if feature.example is None else [feature.example],
            extra_json_schema={"x-unit": feature.unit} if feature.unit else None,
        ),
        allowed=_allowed(feature) + (", or null" if feature.missing else ""),
        optional=feature.missing,
        yes_no=feature.kind == "boolean",
        codes=codes,
    )


def _kind(feature: Feature) -> Any:
    if feature.kind == "boolean":
        return bool
    if feature.kind == "category":
        return getitem(Literal, feature.categories)
    low = -LARGEST if feature.low is None else feature.low
    high = LARGEST if feature.high is None else feature.high
    return described(float, ge=low, le=high, multiple_of=1.0 if feature.kind == "integer" else None)


def _description(feature: Feature) -> str:
    return f"{feature.description} Bounds: {feature.reason}.".strip() if feature.reason else feature.description


def _allowed(feature: Feature) -> str:
    if feature.kind == "boolean":
        return "true or false"
    if feature.kind == "category":
        return f"one of {listed([msgspec.json.encode(name).decode() for name in feature.categories])}"
    number = "a whole number" if feature.kind == "integer" else "a number"
    match feature.low, feature.high:
        case None, None:
            return number
        case low, None:
            return f"{number} of at least {low:.10g}"
        case None, high:
            return f"{number} of at most {high:.10g}"
        case low, high:
            return f"{number} from {low:.10g} to {high:.10g}"
