"""The keys in docs/tables.md, written from `training.tables.description`: `python -m training.tables.reference`."""

import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from api.store.schema import Map, Page, Place, Show
from training.tables import description
from training.tables.description import CardSays, CleaningRule, FeatureSays, GroupsSays, SearchSays, SplitSays, Table

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"
BEGIN = "<!-- keys: written by python -m training.tables.reference -->\n"
END = "<!-- end of keys -->\n"

PARTS: dict[str, type[msgspec.Struct]] = {
    "The table": Table,
    "`[target]`": description.TargetSays,
    "`[features.NAME]`": FeatureSays,
    "`[[cleaning]]`": CleaningRule,
    "`[split]`": SplitSays,
    "`[groups]`": GroupsSays,
    "`[search]`": SearchSays,
    "`[card]`": CardSays,
    "`[page]`": Page,
    "`[page.map]`": Map,
    "`places` of a map": Place,
    "`show` of a target": Show,
}
"""The headings, and what stands below each."""


def reference() -> str:
    """Markdown: a table of keys for each part."""
    return "\n".join("\n".join(_part(heading, part)) for heading, part in PARTS.items())


def _part(heading: str, part: type[msgspec.Struct]) -> Iterator[str]:
    yield f"### {heading}\n"
    yield (part.__doc__ or "").strip().partition("\n\n")[0].replace("\n    ", " ")
    yield "\n| Key | Value | Default | Meaning |\n|---|---|---|---|"
    for field in msgspec.structs.fields(part):
        meaning = _meta(field.type, "description") or ""
        yield f"| `{field.encode_name}` | {_kind(field.type)} | {_default(field)} | {meaning} |"
    yield ""


def _meta(type_: Any, name: str) -> Any:
    found = [getattr(meta, name) for meta in getattr(type_, "__metadata__", ())]
    return next((value for value in found if value is not None), None)


def _kind(type_: Any) -> str:
    """A type in words."""
    while typing.get_origin(type_) is typing.Annotated:
        type_ = typing.get_args(type_)[0]
    origin, inner = typing.get_origin(type_), typing.get_args(type_)
    if origin is typing.Literal:
        return ", ".join(f"`{choice}`" for choice in inner)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(dict.fromkeys(_kind(each) for each in inner if each is not types.NoneType))
    if origin is tuple:
        return f"list of {_kind(inner[0])}"
    if origin is dict:
        return f"{_kind(inner[1])} by name"
    names = {str: "text", bool: "`true` or `false`", float: "number", int: "number"}
    return names.get(type_, "keys")


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "**required**"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if value is None or value in ("", ()) or isinstance(value, msgspec.Struct):
        return "none"
    return f"`{msgspec.json.encode(value).decode()}`"


if __name__ == "__main__":
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{reference()}{END}{rest.partition(END)[2]}")
