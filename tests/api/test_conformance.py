"""The OpenAPI document, tried by schemathesis against a real service with all its checks, which are on by default."""

import os
import subprocess
import sys
from pathlib import Path

from tests.running import Service

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")

# For each operation; `make fuzz` tries many more, and others each time.
SEARCH = (
    ["--max-examples", "500"]
    if os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
    else ["--max-examples", "10", "--generation-deterministic"]
)


def test_every_answer_conforms(service: Service, tmp_path: Path) -> None:
    """What the document allows is accepted, what it forbids refused, every answer is described, and none is a 5xx."""
    program = [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(CONFIGURATION)]
    done = subprocess.run(
        [*program, "run", f"{service.url}/docs/openapi.json", "--mode", "all", "--no-color", *SEARCH],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=3_600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
