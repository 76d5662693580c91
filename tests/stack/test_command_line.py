"""What documents tell people to type, typed into Pulumi's real command line, where there is one."""

import json
import re
import shlex
from pathlib import Path

from stack.settings.account import read
from stack.settings.config import PROJECT, settings
from stack.settings.values import convert
from tests.stack.command_line import environment, project, pulumi
from tests.test_documents import DOCUMENTS, code

SET = re.compile(r"pulumi config set (?:--\w+ )*(?!KEY )\S+ (?:'[^']*'|\"[^\"]*\"|[^\s#&]+)")
IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/housing-dev-1a2b3c4@sha256:{'0123456789abcdef' * 4}"
GIVEN = {
    "$BOUNDARY": "arn:aws:iam::123456789012:policy/boundary-housing-dev",
    "$IMAGE": IMAGE,
    "ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:housing-keys-AbCdEf",
    "MY-BUCKET": "housing-models-of-a-team",
    "URL@sha256:…": IMAGE,
}
"""What a reader has in mind where the documents leave a gap."""


def documented() -> list[list[str]]:
    """Every `pulumi config set` with a value, once, its gaps filled."""
    typed = {match for document in DOCUMENTS for text in code(document) for match in SET.findall(text)}
    return [[filled(word) for word in shlex.split(command)[1:]] for command in sorted(typed)]


def filled(word: str) -> str:
    """A word as a reader types it: no gap, and ids that are cut short whole."""
    return GIVEN.get(word, word).replace("…", "2c3d4e5f60718").replace("s3://TABLES/", "s3://tables/")


def test_every_documented_setting_is_taken(tmp_path: Path) -> None:
    """The command line stores each, and the program takes what it stored."""
    directory = project(tmp_path)
    (tmp_path / "state").mkdir()
    variables = environment(tmp_path / "home", f"file://{tmp_path / 'state'}")
    pulumi(directory, "stack", "init", "dev", **variables)
    commands = documented()
    assert len(commands) > 10
    for arguments in commands:
        pulumi(directory, *arguments, **variables)
    printed = json.loads(pulumi(directory, "config", "--json", **variables))
    stored = {key: entry["value"] for key, entry in printed.items()}
    own = {key.removeprefix(f"{PROJECT}:"): value for key, value in stored.items() if key.startswith(f"{PROJECT}:")}
    types = settings()
    taken = {key: convert(value, types[key]) for key, value in own.items()}
    assert taken["api_keys_secret"] == GIVEN["ARN"]
    aws = {key.removeprefix("aws:"): value for key, value in stored.items() if key.startswith("aws:")}
    aws.pop("region")
    problems: list[str] = []
    assert read(aws, problems).provider_arguments()["allowed_account_ids"] == ["123456789012"]
    assert problems == []
