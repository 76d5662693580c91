"""Pulumi's state in a bucket, with every right enforced: the real engine, with the roles that pipelines have."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import boto3
import httpx
import pytest

from tests.running import ROOT, await_ok, free_port
from tests.stack.account import Account
from tests.stack.command_line import environment, project, pulumi
from tests.stack.published import REGION, new_bucket

Run = Callable[[str, str, str], subprocess.CompletedProcess[str]]
BUCKET = "the-state"
ROLES = ("deployer-housing-dev", "deployer-housing-prod", "previewer-housing-dev")
ENTER = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}


def credentials(account: Account, role: str) -> dict[str, str]:
    """Make a role with the template's rights on the state; returns a session's environment variables."""
    statements = [s for s in account.statements(role) if any(BUCKET in resource for resource in s["Resource"])]
    assert statements, role
    iam = boto3.client("iam")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document([ENTER]))["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="state", PolicyDocument=document(statements))
    session = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="ci")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }


def document(statements: list[dict[str, object]]) -> str:
    """A policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(scope="module")
def run(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Runs the engine for a role on a stack; dev and prod are in one bucket, and whoever has no right is refused.

    A server of its own: moto checks rights for all its users or for none.
    """
    directory = project(tmp_path_factory.mktemp("state"))
    url = f"http://127.0.0.1:{free_port()}"
    variables = {
        **environment(directory / "home", f"s3://{BUCKET}?region={REGION}&s3ForcePathStyle=true"),
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", url.rpartition(":")[2]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        try:
            await_ok(f"{url}/moto-api/data.json")
            new_bucket(boto3.client("s3"), BUCKET)
            for stack in ("dev", "prod"):
                pulumi(directory, "stack", "init", stack)
            sessions = {role: credentials(account, role) for role in ROLES}
            httpx.post(f"{url}/moto-api/reset-auth", content=b"0").raise_for_status()

            def engine(role: str, verb: str, stack: str) -> subprocess.CompletedProcess[str]:
                command = [sys.executable, "-m", "tests.stack.empty_program", verb, stack]
                return subprocess.run(
                    command, cwd=ROOT, env={**os.environ, **sessions[role]}, capture_output=True, text=True
                )

            yield engine
        finally:
            server.kill()
            server.wait(10)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_deployer_updates_its_own_stack(run: Run, stack: str) -> None:
    """Twice, since the second time there is a state to keep a copy of."""
    for _ in range(2):
        done = run(f"deployer-housing-{stack}", "up", stack)
        assert done.returncode == 0, done.stderr


def test_a_deployer_opens_no_other_stack(run: Run) -> None:
    """Neither to write nor to read."""
    for verb in ("up", "preview"):
        done = run("deployer-housing-prod", verb, "dev")
        assert done.returncode != 0
        assert "403" in done.stderr


def test_a_preview_reads_dev(run: Run) -> None:
    """And needs no lock, nor anything else to write."""
    done = run("previewer-housing-dev", "preview", "dev")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("verb", "stack"), [("preview", "prod"), ("up", "dev")])
def test_a_preview_does_nothing_else(run: Run, verb: str, stack: str) -> None:
    """Prod's state stays closed, and dev's stays as it is."""
    done = run("previewer-housing-dev", verb, stack)
    assert done.returncode != 0
    assert "403" in done.stderr
