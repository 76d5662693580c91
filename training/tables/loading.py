"""Reads a table's description from its file and checks it, all of it, before any row is looked at."""

import difflib
import hashlib
import math
import shlex
import tomllib
import types
import typing
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from api.answers.fields import LARGEST
from api.store.schema import ANSWER_FIELDS, Page
from training.errors import DescriptionError
from training.tables.description import OBJECTIVES, FeatureSays, Table, TargetSays

DEFAULT = Path(__file__).parents[2] / "tables" / "california-housing.toml"

SHOWN = 80
MOST_CATEGORIES = 1000


class Described(NamedTuple):
    """A table's description, and the file that it stands in with its sha256."""

    table: Table
    sha256: str
    file: Path = DEFAULT

    @property
    def option(self) -> str:
        """What commands are given to mean this table; nothing for the default one."""
        return "" if self.file == DEFAULT else f" --table {shlex.quote(str(self.file))}"


def load(file: Path = DEFAULT) -> Described:
    """Read and check a description.

    Raises:
        DescriptionError: with every fault found, one a line: the key, the value and the rule.
    """
    try:
        raw = file.read_bytes()
        return Described(load_text(raw.decode(), str(file)), hashlib.sha256(raw).hexdigest(), file)
    except OSError as error:
        raise DescriptionError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DescriptionError(f"{file} is not UTF-8: {error}") from error


def load_text(text: str, source: str) -> Table:
    """Read and check a description that is at hand.

    Raises:
        DescriptionError: it is not TOML, or has faults.
    """
    try:
        return parse(tomllib.loads(text), source)
    except tomllib.TOMLDecodeError as error:
        raise DescriptionError(f"{source} is not TOML: {error}") from error


def parse(given: dict[str, Any], source: str) -> Table:
    """Make a checked description of a decoded file.

    Raises:
        DescriptionError: with every fault found, one a line.
    """
    faults = list(_struct_faults(given, Table, ""))
    table = None
    if not faults:
        table = msgspec.convert(given, Table)
        faults = list(_conflicts(table))
    if faults or table is None:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise DescriptionError(f"{source} does not describe a table:\n{lines}")
    return table


def _struct_faults(given: Any, type_: type[msgspec.Struct], place: str) -> Iterator[str]:
    if not isinstance(given, dict):
        yield f"{place.rstrip('.')} = {_shown(given)}: give a table of keys"
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(type_)}
    for key in given.keys() - fields.keys():
        near = difflib.get_close_matches(key, fields, n=1)
        advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(fields)}"
        yield f"{place}{key}: no such key; {advice}"
    for key, field in fields.items():
        if key in given:
            yield from _value_faults(given[key], field.type, f"{place}{key}")
        elif field.required:
            yield f"{place}{key}: missing"


def _value_faults(given: Any, type_: Any, place: str) -> Iterator[str]:
    inner = _struct_of(type_)
    origin = typing.get_origin(_plain(type_))
    if inner is not None and origin is None:
        yield from _struct_faults(given, inner, f"{place}.")
    elif inner is not None and origin is tuple and isinstance(given, list):
        for i, each in enumerate(given):
            yield from _struct_faults(each, inner, f"{place}[{i}].")
    elif inner is not None and origin is dict and isinstance(given, dict) and given:
        for name, each in given.items():
            yield from _struct_faults(each, inner, f"{place}.{_quoted(name)}.")
    else:
        try:
            msgspec.convert(given, type_)
        except msgspec.ValidationError as error:
            yield f"{place} = {_shown(given)}: {_rule(type_) or error}"


def _rule(type_: Any) -> str:
    """What a value must be, in words; empty where msgspec's own say it as well."""
    extras = [meta.extra or {} for meta in getattr(type_, "__metadata__", ())]
    return next((f"must be {extra['words']}" for extra in extras if "words" in extra), "")


def _plain(type_: Any) -> Any:
    """The type without its documents, and without None."""
    while typing.get_origin(type_) is typing.Annotated:
        type_ = typing.get_args(type_)[0]
    if isinstance(type_, types.UnionType):
        others = [each for each in typing.get_args(type_) if each is not types.NoneType]
        return _plain(others[0]) if len(others) == 1 else type_
    return type_


def _struct_of(type_: Any) -> type[msgspec.Struct] | None:
    """The struct that a type is, or holds several of."""
    plain = _plain(type_)
    candidates = [plain, *map(_plain, typing.get_args(plain))]
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, msgspec.Struct)), None)


def _conflicts(table: Table) -> Iterator[str]:
    """What no single key shows: values that do not go together."""
    target = table.target
    if target.column in table.features:
        yield f"features.{_quoted(target.column)}: is the target; a model must not be told the answer"
    for name, feature in table.features.items():
        yield from _feature_conflicts(f"features.{_quoted(name)}", name, feature)
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
        yield f"{place}.categories = {_shown(list(feature.categories))}: a category needs them, and only a category"
    if len(feature.categories) > MOST_CATEGORIES:
        yield f"{place}.categories: has {len(feature.categories):,} values, more than {MOST_CATEGORIES:,}: free text?"
    yield from _twice(f"{place}.categories", feature.categories)
    if feature.example is not None and (wrong := _wrong_example(feature)):
        yield f"{place}.example = {_shown(feature.example)}: {wrong}"


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
        yield f"target.classes = {_shown(list(target.classes))}: a number has none"
    if target.kind == "boolean" and classes not in (0, 2):
        yield f"target.classes = {_shown(list(target.classes))}: name two, the negative one first"
    if target.kind == "category" and classes < 2:
        yield f"target.classes = {_shown(list(target.classes))}: name all of them, two at least"
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


def _quoted(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else f'"{name}"'


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
