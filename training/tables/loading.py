"""Reads a table's description from its file and checks it, all of it, before any row is looked at."""

import difflib
import hashlib
import shlex
import tomllib
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from training.errors import DescriptionError
from training.tables.conflicts import conflicts, quoted, shown
from training.tables.description import FeatureSays, Table

DEFAULT = Path(__file__).parents[2] / "tables" / "california-housing.toml"


class Described(NamedTuple):
    """A table's description, and the file that it stands in with its sha256."""

    table: Table
    sha256: str
    file: Path = DEFAULT

    @property
    def option(self) -> str:
        """What commands are given to mean this table; nothing for the default one."""
        return "" if self.file == DEFAULT else f" --table {shlex.quote(str(self.file))}"

    @property
    def runs(self) -> str:
        """The command that shows the runs of this table."""
        return f"python -m training ui{self.option}" if self.option else "make mlflow-ui"


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
    faults = [*_struct_faults(given, Table, ""), *_conflicts_of(given)]
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise DescriptionError(f"{source} does not describe a table:\n{lines}")
    return msgspec.convert(given, Table)


def _conflicts_of(given: dict[str, Any]) -> Iterator[str]:
    """The contradictions between those parts that have no fault of their own."""
    types_ = {field.encode_name: field.type for field in msgspec.structs.fields(Table)}
    features = given.get("features")
    if not isinstance(features, dict):
        return
    sound = {
        key: value
        for key, value in given.items()
        if key in types_ and key != "features" and not any(_value_faults(value, types_[key], key))
    }
    described = {name: says for name, says in features.items() if not any(_struct_faults(says, FeatureSays, ""))}
    if described != features:
        # They name features, and would name some that are left out here.
        sound.pop("groups", None)
        sound.pop("page", None)
    if described and "target" in sound:
        yield from conflicts(msgspec.convert({"name": "unnamed", **sound, "features": described}, Table))


def _struct_faults(given: Any, type_: type[msgspec.Struct], place: str) -> Iterator[str]:
    if not isinstance(given, dict):
        yield f"{place.rstrip('.')} = {shown(given)}: give a table of keys"
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
            yield from _struct_faults(each, inner, f"{place}.{quoted(name)}.")
    else:
        try:
            msgspec.convert(given, type_)
        except msgspec.ValidationError as error:
            yield f"{place} = {shown(given)}: {_rule(type_) or error}"


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
