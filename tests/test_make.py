"""The Makefile's targets, run as a person runs them but without installing anything."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT, free_port

BIN = Path(sys.executable).parent


def make(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start make, which takes the environment that the tests run in for the one that it would install."""
    return subprocess.Popen(
        ["make", "--no-print-directory", "-o", ".venv/run", "-o", ".venv/development", f"BIN={BIN}", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def registry(store: Path, tmp_path: Path) -> str:
    """The address of a registry with a champion, whose published models are elsewhere."""
    shutil.copy(store.parent / "mlflow.db", tmp_path)
    return f"sqlite:///{tmp_path}/mlflow.db"


def test_run_serves_the_champion_that_exists(registry: str, tmp_path: Path) -> None:
    """Where a model was trained but is not published, `make run` publishes it, serves it, and trains nothing."""
    port = free_port()
    process = make("run", f"PORT={port}", f"STORE={tmp_path}/models", MLFLOW_TRACKING_URI=registry)
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if "Stop with Ctrl-C" in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    said += process.communicate(timeout=60)[0]
    assert "Version 1 is champion already: nothing is trained." in said
    assert "from model version 1:" in said
    assert f"curl http://127.0.0.1:{port}/predict" in said
    assert "Next:" not in said
    assert "Traceback" not in said


def test_run_asks_for_the_port_first(tmp_path: Path) -> None:
    """A port that somebody has is named before anything slow, with the command for another one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said, _ = make("run", f"PORT={port}", f"STORE={tmp_path}/models").communicate(timeout=60)
    assert f"PORT={port} is taken on HOST=127.0.0.1" in said
    assert f"`PORT={port + 1} make run`" in said
    assert "Loading" not in said
    assert not list(tmp_path.iterdir())


def test_run_asks_for_the_settings_first(tmp_path: Path) -> None:
    """A setting that the service would refuse is named before anything slow."""
    said, _ = make("run", "PORT=many", f"STORE={tmp_path}/models").communicate(timeout=60)
    assert "Error: wrong settings in the environment: PORT='many'" in said
    assert "Traceback" not in said


AUDITED = "No known vulnerabilities found"
UNKNOWN = "litestar  Dependency not found on PyPI and could not be audited: litestar (2.25.0)"
VULNERABLE = "Found 1 known vulnerability in 1 package"


@pytest.mark.parametrize(
    ("found", "code", "allowed", "error", "last"),
    [
        (AUDITED, 0, "", "", AUDITED),
        (
            f"{AUDITED}\n{UNKNOWN}\n{UNKNOWN}",
            0,
            "",
            "Error 3",
            "Skipped: the database did not answer for 2 of the packages.",
        ),
        (f"{AUDITED}\n{UNKNOWN}", 0, "1", "", "Skipped: the database did not answer for 1 of the packages."),
        (
            "requests.exceptions.ConnectionError",
            1,
            "",
            "Error 3",
            "Skipped: the database did not answer for any of the",
        ),
        ("requests.exceptions.ConnectionError", 1, "1", "", "Skipped: the database did not answer for any of the"),
        (VULNERABLE, 1, "1", "Error 1", VULNERABLE),
        (f"{VULNERABLE}\n{UNKNOWN}", 1, "1", "Error 1", "Skipped: the database did not answer for 1 of the packages."),
    ],
)
def test_audit(tmp_path: Path, found: str, code: int, allowed: str, error: str, last: str) -> None:
    """What could not be looked up is said last, and is neither a good answer nor a bad one unless it is allowed."""
    fake = tmp_path / "pip-audit"
    fake.write_text(f"#!/bin/sh\ncat <<'END'\n{found}\nEND\nexit {code}\n")
    fake.chmod(0o755)
    process = make("audit", f"ALLOW_SKIP={allowed}", f"BIN={tmp_path}")
    said, _ = process.communicate(timeout=60)
    *lines, end = said.splitlines()
    if error:
        assert end.endswith(error)
        end = lines[-1]
    assert end.startswith(last)
    assert (process.returncode != 0) == bool(error)


def test_what_is_left_out_of_the_quick_tests_is_there() -> None:
    """Each line of `tests/slow.txt` is a file of tests; one that was moved would be quick again, unnoticed."""
    left_out = (ROOT / "tests" / "slow.txt").read_text().split()
    assert left_out
    assert [name for name in left_out if not (ROOT / "tests" / name).is_file()] == []
