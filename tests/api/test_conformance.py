"""The OpenAPI document, tried by schemathesis against a real service with all its checks, which are on by default."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api.tables import ServedTable
from tests.running import Service

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")

# For each operation; `make fuzz` tries many more, and others each time.
SEARCH = (
    ["--max-examples", "500"]
    if os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
    else ["--max-examples", "10", "--generation-deterministic"]
)


def conforms(service: Service, folder: Path, *search: str) -> None:
    """What the document allows is accepted, what it forbids refused, every answer is described, and none is a 5xx."""
    program = [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(CONFIGURATION)]
    done = subprocess.run(
        [*program, "run", f"{service.url}/docs/openapi.json", "--mode", "all", "--no-color", *search],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=3_600,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_answer_conforms(service: Service, tmp_path: Path) -> None:
    """The shipped table's document is true of its service."""
    conforms(service, tmp_path, *SEARCH)


@pytest.mark.parametrize("name", ["claims", "species"])
def test_every_answer_of_other_tables_conforms(
    served_table: Callable[[str], ServedTable], name: str, tmp_path: Path
) -> None:
    """So are those of tables with categories, missing values and odd names, of a number and of classes."""
    _, service = served_table(name)
    conforms(service, tmp_path, *SEARCH, "--exclude-path-regex", "^/v2/")
