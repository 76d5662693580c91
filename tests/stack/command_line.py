"""Pulumi's real command line, where there is one."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.running import ROOT


def project(directory: Path) -> Path:
    """Make `directory` one of the project's, for the command line to work in; skips the test where there is none."""
    if shutil.which("pulumi") is None:
        pytest.skip(
            "no pulumi: https://www.pulumi.com/docs/install/, or go build its module github.com/pulumi/pulumi/pkg/v3"
        )
    shutil.copy(ROOT / "Pulumi.yaml", directory)
    return directory


def environment(home: Path, backend: str) -> dict[str, str]:
    """The variables that keep it to `home` and to a state in `backend`."""
    return {
        "PULUMI_BACKEND_URL": backend,
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_HOME": str(home),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def pulumi(directory: Path, *arguments: str, **variables: str) -> str:
    """Run it; returns what it prints."""
    done = subprocess.run(
        ["pulumi", *arguments, "--non-interactive"],
        cwd=directory,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"pulumi {shlex.join(arguments)}: {done.stderr}"
    return done.stdout
