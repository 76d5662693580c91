"""A table scored as a user scores it, and what came of it, by the rows' numbers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from tests.running import ROOT


def command(*arguments: object) -> list[str]:
    """`python -m api.scoring`."""
    return [sys.executable, "-m", "api.scoring", *map(str, arguments)]


def score(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        command(*arguments), cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )


class Scores(NamedTuple):
    """Of one part."""

    answers: dict[int, dict[str, Any]]
    """The answer to each row, and what was kept beside it."""
    refusals: dict[int, list[dict[str, Any]]]
    """What is wrong with each of the other rows."""


def read(out: Path, part: str) -> Scores:
    """The scores of a part of this name."""
    rows = pq.read_table(out / (part if part.endswith(".parquet") else f"{part}.parquet")).to_pylist()
    refused: dict[int, list[dict[str, Any]]] = {}
    file = out / "_refused" / f"{part}.jsonl"
    for line in file.read_text().splitlines() if file.exists() else []:
        refusal = json.loads(line)
        assert refusal.pop("part") == part
        refused.setdefault(refusal.pop("row_number"), []).append(refusal)
    return Scores({row.pop("row_number"): row for row in rows}, refused)


def contents(out: Path) -> dict[str, bytes]:
    """Every file in a folder."""
    return {str(file.relative_to(out)): file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file()}
