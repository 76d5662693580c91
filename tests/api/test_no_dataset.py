"""The service knows no table: what it says of one comes with the model."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running import ROOT

TABLES = sorted((ROOT / "tables").glob("*.toml"))
SOURCES = [path for path in sorted((ROOT / "api").rglob("*")) if path.suffix in {".py", ".js", ".html", ".css", ".svg"}]


def words(table: dict[str, Any]) -> Iterator[str]:
    """Every name, title, unit and text by which a table could be recognised."""
    target, page = table["target"], table.get("page", {})
    yield from (table.get(key, "") for key in ("name", "title", "description", "row", "rows", "row_description"))
    yield from (target.get(key, "") for key in ("column", "title", "short", "answer", "unit", "basis"))
    yield from (page.get("title", ""), page.get("description", ""), page.get("map", {}).get("name", ""))
    yield from (place["name"] for place in page.get("map", {}).get("places", ()))
    for name, feature in table["features"].items():
        yield name
        yield from (feature.get(key, "") for key in ("title", "description", "unit", "reason"))


COMMON = {"people", "degrees", "years", "prediction", "row", "rows", ""}
"""Words of plain English, which comments have too."""


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_the_service_names_no_part_of_a_table(path: Path) -> None:
    """No name, title, unit or text of a shipped table stands anywhere in `api/`."""
    assert SOURCES
    found = set(words(tomllib.loads(path.read_text()))) - COMMON
    assert len(found) > 10
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in sorted(found, key=len, reverse=True)))
    hits = {
        f"{source.relative_to(ROOT)}: {match.group()}"
        for source in SOURCES
        for match in pattern.finditer(source.read_text())
    }
    assert not hits
