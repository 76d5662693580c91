"""What documents tell people to type, typed into Pulumi's real command line, where there is one."""

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from stack.config import PROJECT
from stack.settings import parse
from tests.stack.recording import ROOT
from tests.test_documents import DOCUMENTS, code

SET = re.compile(r"pulumi config set (?:--\w+ )*(?!KEY )\S+ [^\s#&]+")
PULUMI = shutil.which("pulumi")
IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/housing-dev-1a2b3c4@sha256:{'0123456789abcdef' * 4}"
GIVEN = {
    "$BOUNDARY": "arn:aws:iam::123456789012:policy/boundary-housing-dev",
    "$IMAGE": IMAGE,
    "ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:housing-keys-AbCdEf",
    "MY-BUCKET": "housing-models-of-a-team",
    "URL@sha256:…": IMAGE,
}
"""What a reader has in mind where the documents leave a gap."""


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A directory with a new stack, its state in files beside it."""
    if PULUMI is None:
        pytest.skip(
            "no pulumi: https://www.pulumi.com/docs/install/, or go build its module github.com/pulumi/pulumi/pkg/v3"
        )
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    (tmp_path / "state").mkdir()
    pulumi(tmp_path, "stack", "init", "dev")
    return tmp_path


def pulumi(directory: Path, *arguments: str) -> str:
    """Run the command line; returns what it prints."""
    environment = {
        "PULUMI_BACKEND_URL": f"file://{directory / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_HOME": str(directory / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    done = subprocess.run(
        [PULUMI or "pulumi", *arguments, "--non-interactive"],
        cwd=directory,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"pulumi {shlex.join(arguments)}: {done.stderr}"
    return done.stdout


def documented() -> list[list[str]]:
    """Every `pulumi config set` with a value, once, its gaps filled."""
    typed = {match for document in DOCUMENTS for text in code(document) for match in SET.findall(text)}
    return [[GIVEN.get(word, word) for word in shlex.split(command)[1:]] for command in sorted(typed)]


def test_every_documented_setting_is_taken(stack: Path) -> None:
    """The command line stores each, and the program takes what it stored."""
    commands = documented()
    assert len(commands) > 10
    for arguments in commands:
        pulumi(stack, *arguments)
    stored = {key: entry["value"] for key, entry in json.loads(pulumi(stack, "config", "--json")).items()}
    own = {key.removeprefix(f"{PROJECT}:"): value for key, value in stored.items() if key.startswith(f"{PROJECT}:")}
    aws = {key.removeprefix("aws:"): value for key, value in stored.items() if key.startswith("aws:")}
    config = parse(own, stack="dev", region="us-east-1", aws=aws)
    assert config.api_keys_secret == GIVEN["ARN"]
    assert config.account.provider_arguments()["allowed_account_ids"] == ["123456789012"]
