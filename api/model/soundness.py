"""Whether a schema makes sense by itself, whoever wrote it; `agreement` holds it against the model."""

import re
from collections.abc import Iterator

from api.errors import ModelRefused
from api.store.schema import ANSWER_FIELDS, Feature, Schema

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_ANSWER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def check_schema(schema: Schema) -> None:
    """Refuse what no request could satisfy, or no answer be written by.

    Raises:
        ModelRefused: with everything that is wrong.
    """
    if faults := list(_faults(schema)):
        raise ModelRefused(f"the model's schema is impossible: {'; '.join(faults[:5])}")


def _faults(schema: Schema) -> Iterator[str]:
    target = schema.target
    if not _NAME.fullmatch(schema.name):
        yield f"the name {schema.name[:64]!r} is not made of letters, digits, '.', '_' and '-'"
    if not schema.features or len(set(schema.names)) != len(schema.names):
        yield "it has no features, or one twice"
    for feature in schema.features:
        yield from _feature_faults(feature)
    if not _ANSWER.fullmatch(target.answer) or target.answer in ANSWER_FIELDS:
        yield f"the answer's field {target.answer[:64]!r} is not a plain word, or answers have another of this name"
    yield from _crossed("the target", target.low, target.high)
    numbers = {feature.name for feature in schema.features if feature.kind == "number"}
    if (drawn := schema.page.map) and not {drawn.latitude, drawn.longitude} <= numbers:
        yield f"the map is of {drawn.latitude[:64]!r} and {drawn.longitude[:64]!r}, which are not features in numbers"


def _feature_faults(feature: Feature) -> Iterator[str]:
    name = feature.name[:64]
    if not feature.name:
        yield "a feature has no name"
    if (feature.kind == "category") != bool(feature.categories):
        yield f"{name!r} is a {feature.kind} and has {len(feature.categories)} categories"
    if len(set(feature.categories)) != len(feature.categories):
        yield f"{name!r} has a category twice"
    yield from _crossed(repr(name), feature.low, feature.high)


def _crossed(what: str, low: float | None, high: float | None) -> Iterator[str]:
    if low is not None and high is not None and not low < high:
        yield f"the bounds of {what} are {low:g} to {high:g}"
