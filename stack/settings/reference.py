"""The tables of docs/configuration.md, from `config` and `changes`: `python -m stack.settings.reference`."""

import dataclasses
import json
import typing
from pathlib import Path
from typing import Any

from stack.settings.changes import CHANGES, Change, Effect
from stack.settings.config import Config, settings

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
BEGIN = "<!-- {}: written by python -m stack.settings.reference -->\n"
END = "<!-- end of {} -->\n"


def table() -> str:
    """A Markdown table of every setting: key, default and meaning."""
    defaults = {field.name: field.default for field in dataclasses.fields(Config)}
    lines = ["| Setting | Default | Meaning |", "|---|---|---|"]
    for key, type_ in settings().items():
        meaning = type_.__metadata__[-1].description
        choices = typing.get_args(typing.get_args(type_)[0]) if "Literal" in str(type_) else ()
        allowed = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
        lines.append(f"| `{key}` | {_default(defaults[key])} | {meaning}{allowed} |")
    return "\n".join(lines) + "\n"


def effects() -> str:
    """A Markdown table of what changing each setting does to a stack that runs."""
    lines = ["| Setting | Set, raised, added to | Taken back | |", "|---|---|---|---|"]
    for key in settings():
        change = CHANGES[key]
        there, back = _effect(change, "there", change.there), _effect(change, "back", change.back)
        lines.append(f"| `{key}` | {there} | {back} | {change.note} |")
    return "\n".join(lines) + "\n"


def _effect(change: Change, direction: str, effect: Effect) -> str:
    return f"{effect}; protected: refused" if direction in change.protected else str(effect)


def page(before: str) -> str:
    """The page with both tables written anew between their marks."""
    for name, written in (("settings", table()), ("changes", effects())):
        begin, end = BEGIN.format(name), END.format(name)
        above, _, rest = before.partition(begin)
        before = f"{above}{begin}{written}{end}{rest.partition(end)[2]}"
    return before


def _default(value: Any) -> str:
    if value is dataclasses.MISSING:
        return "**required**"
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{json.dumps(value)}`"
    return f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
