"""What contradicts in a table's description: values that are right each for itself and do not go together."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from api.rows.fields import LARGEST
from api.store.schema import ANSWER_FIELDS, Page
from training.tables.description import OBJECTIVES, FeatureSays, Table, TargetSays

SHOWN = 80
MOST_CATEGORIES = 1000


def conflicts(table: Table) -> Iterator[str]:
    """What no single key shows: values that do not go together."""
    target = table.target
    if target.column in table.features:
        yield f"features.{quoted(target.column)}: is the target; a model must not be told the answer"
    for name, feature in table.features.items():
        yield from _feature_conflicts(f"features.{quoted(name)}", name, feature)
    yield from _target_conflicts(target)
    if table.search.objective and table.search.objective not in OBJECTIVES[target.kind]:
        known = ", ".join(OBJECTIVES[target.kind])
        yield f"search.objective = {table.search.objective!r}: of a {target.kind} use one of {known}"
    if (table.split.by == "random") != (not table.split.column):
        yield f"split.by = {table.split.by!r}, split.column = {table.split.column!r}: group and time need a column"
    if table.groups and table.groups.width is not None and not set(table.groups.columns) <= set(table.features):
        yield f"groups.width = {table.groups.width:g}: needs columns that are numbers of the features"
    for name, values in table.search.space.items():
        if not values:
            yield f"search.space.{name} = []: name at least one value"
    names = Counter(rule.name for rule in table.cleaning)
    yield from (f"cleaning: two rules are named {name}" for name, count in names.items() if count > 1)
    yield from _map_conflicts(table.page, table.features)


def _feature_conflicts(place: str, name: str, feature: FeatureSays) -> Iterator[str]:
    numeric = feature.kind in ("number", "integer")
    if not name:
        yield f"{place}: a column needs a name"
    if not numeric and (feature.low is not None or feature.high is not None):
        yield f"{place}.low, high: only numbers have bounds; this is a {feature.kind}"
    yield from _bounds_conflicts(place, feature.low, feature.high)
    if (feature.kind == "category") != bool(feature.categories):
        yield f"{place}.categories = {shown(list(feature.categories))}: a category needs them, and only a category"
    if len(feature.categories) > MOST_CATEGORIES:
        yield f"{place}.categories: has {len(feature.categories):,} values, more than {MOST_CATEGORIES:,}: free text?"
    yield from _twice(f"{place}.categories", feature.categories)
    if feature.example is not None and (wrong := _wrong_example(feature)):
        yield f"{place}.example = {shown(feature.example)}: {wrong}"


def _wrong_example(feature: FeatureSays) -> str:
    example = feature.example
    if feature.kind == "category":
        return "" if example in feature.categories else "is not one of the categories"
    if feature.kind == "boolean":
        return "" if isinstance(example, bool) else "use true or false"
    if isinstance(example, bool | str) or example is None:
        return "use a number"
    if feature.kind == "integer" and example != int(example):
        return "use a whole number"
    low = -math.inf if feature.low is None else feature.low
    high = math.inf if feature.high is None else feature.high
    return "" if low <= example <= high else "is outside the bounds"


def _target_conflicts(target: TargetSays) -> Iterator[str]:
    classes = len(target.classes)
    if target.kind == "number" and classes:
        yield f"target.classes = {shown(list(target.classes))}: a number has none"
    if target.kind == "boolean" and classes not in (0, 2):
        yield f"target.classes = {shown(list(target.classes))}: name two, the negative one first"
    if target.kind == "category" and classes < 2:
        yield f"target.classes = {shown(list(target.classes))}: name all of them, two at least"
    yield from _twice("target.classes", target.classes)
    if target.kind != "number" and (target.low is not None or target.high is not None):
        yield f"target.low, high: only a number has bounds; this is a {target.kind}"
    yield from _bounds_conflicts("target", target.low, target.high)
    if target.answer in ANSWER_FIELDS:
        yield f"target.answer = {target.answer!r}: answers have another field of this name"


def _bounds_conflicts(place: str, low: float | None, high: float | None) -> Iterator[str]:
    for bound, value in (("low", low), ("high", high)):
        if value is not None and not abs(value) <= LARGEST:
            yield f"{place}.{bound} = {value}: the model's numbers end at {LARGEST:.4g}"
    if low is not None and high is not None and low >= high:
        yield f"{place}.low, high = {low:g}, {high:g}: low must be below high"


def _map_conflicts(page: Page, features: dict[str, FeatureSays]) -> Iterator[str]:
    if page.map is None:
        return
    for key in ("latitude", "longitude"):
        name = getattr(page.map, key)
        if name not in features or features[name].kind != "number":
            yield f"page.map.{key} = {name!r}: is not one of the features that are numbers"


def _twice(place: str, values: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{place}: {value!r} stands there twice" for value, count in Counter(values).items() if count > 1)


def quoted(name: str) -> str:
    """A name as TOML has it for a key."""
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else f'"{name}"'


def shown(value: Any) -> str:
    """A value as a message has it: not too long."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
