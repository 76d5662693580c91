"""An environment of its own for the newest XGBoost, which asks for a newer Python than the oldest that we support."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import ROOT

ENVIRONMENT = ROOT / ".venv-newest-xgboost"
PACKAGES = {"numpy", "scipy", "xgboost", "xgboost-cpu"}
PYTHON = (3, 12)
"""The oldest Python for which the lock pins the newest XGBoost."""


def python() -> Path:
    """Its interpreter; made once, of what `requirements/training.txt` pins for that Python.

    The test that asks for it skips where there is nothing to make it of.
    """
    if sys.version_info >= PYTHON:
        pytest.skip("the installed XGBoost is the newest")
    interpreter, noted, pinned = ENVIRONMENT / "bin/python", ENVIRONMENT / "requirements.txt", requirements()
    if noted.exists() and noted.read_text() == pinned:
        return interpreter
    if (found := next(newer_pythons(), None)) is None:
        pytest.skip("the newest XGBoost needs Python 3.12 or newer beside this one: install python3.13")
    subprocess.run([found, "-m", "venv", "--clear", ENVIRONMENT], check=True, capture_output=True)
    wanted = ENVIRONMENT / "wanted.txt"
    wanted.write_text(pinned)
    install = [str(interpreter), "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", str(wanted)]
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the newest XGBoost could not be installed for {found}: {done.stderr.strip()[-300:]}")
    wanted.rename(noted)
    return interpreter


def requirements() -> str:
    """What XGBoost needs, out of the lock, with its hashes."""
    locked = (ROOT / "requirements/training.txt").read_text()
    blocks = re.findall(r"^\S.*(?:\n[ ].*)*", locked, re.MULTILINE)
    return "\n".join(block for block in blocks if block.split("==")[0] in PACKAGES) + "\n"


def newer_pythons() -> Iterator[Path]:
    """The newer Pythons of this machine, on the path or where pyenv keeps them."""
    on_path = [shutil.which(f"python3.{minor}") for minor in range(20, PYTHON[1] - 1, -1)]
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.*/bin/python"), reverse=True)
    for candidate in [*(Path(found) for found in on_path if found), *pyenv]:
        # pyenv puts a program on the path for every version, though it runs only those that are chosen.
        check = f"import sys, ensurepip; sys.exit(sys.version_info < {PYTHON})"
        if subprocess.run([candidate, "-c", check], capture_output=True).returncode == 0:
            yield candidate
