"""The table of settings in docs/configuration.md, written from `stack.config`: `python -m stack.reference`."""

import dataclasses
import json
import typing
from pathlib import Path
from typing import Any

from stack.config import Config, settings

PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"
BEGIN = "<!-- settings: written by python -m stack.reference -->\n"
END = "<!-- end of settings -->\n"


def table() -> str:
    """A Markdown table of every setting: key, default and meaning."""
    defaults = {field.name: field.default for field in dataclasses.fields(Config)}
    lines = ["| Setting | Default | Meaning |", "|---|---|---|"]
    for key, type_ in settings().items():
        meaning = type_.__metadata__[0].description
        choices = typing.get_args(typing.get_args(type_)[0]) if "Literal" in str(type_) else ()
        allowed = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
        lines.append(f"| `{key}` | {_default(defaults[key])} | {meaning}{allowed} |")
    return "\n".join(lines) + "\n"


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
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}")
