"""The role that the stack gives a task, enforced: it opens the models and nothing else."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import boto3
import httpx
import pytest

from stack.settings.config import Config
from stack.tasks.identity import read_models
from tests.buckets import REGION, create_bucket, upload
from tests.california import MODELS_PREFIX
from tests.container import task
from tests.container.conftest import RunTask
from tests.running import await_ok, free_port

BUCKET = "guarded-models"
ELSEWHERE = "elsewhere/1"


@pytest.fixture(scope="module")
def guarded_s3(docker_engine: None, model_directory: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """An S3 that checks every request's rights, and the credentials of a task of the stack's.

    A server of its own: moto checks rights for all its users or for none.
    """
    url = f"http://127.0.0.1:{free_port()}"
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", url.rpartition(":")[2]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**task.ROLE, "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": REGION}.items():
            patch.setenv(name, value)
        try:
            await_ok(f"{url}/moto-api/data.json")
            create_bucket(BUCKET)
            for path in (f"{MODELS_PREFIX}/1", ELSEWHERE):
                upload(model_directory, BUCKET, path)
            credentials = assume_task_role()
            httpx.post(f"{url}/moto-api/reset-auth", content=b"0").raise_for_status()
            yield url, credentials
        finally:
            server.kill()
            server.wait(10)


def assume_task_role() -> dict[str, str]:
    """Make the role with the policy that the stack gives it; returns a session's environment variables."""
    iam = boto3.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="task", AssumeRolePolicyDocument=policy(trust))["Role"]
    config = Config(stack="dev", region=REGION, model_bucket=BUCKET)
    iam.put_role_policy(RoleName="task", PolicyName="task", PolicyDocument=policy(read_models(config)))
    session = boto3.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="task")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }


def policy(statement: Mapping[str, object]) -> str:
    """A policy document of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_role_opens_the_models(run_task: RunTask, guarded_s3: tuple[str, dict[str, str]]) -> None:
    """With the stack's own policy and no other right, the task fetches its model and becomes healthy."""
    endpoint, role = guarded_s3
    with run_task(bucket=BUCKET, endpoint=endpoint, role=role) as container:
        assert container.wait(60)["Running"], container.logs()


def test_role_opens_nothing_else(run_task: RunTask, guarded_s3: tuple[str, dict[str, str]]) -> None:
    """A complete model outside the models' prefix is denied: the last line names the object and the missing right."""
    endpoint, role = guarded_s3
    with run_task(bucket=BUCKET, path=ELSEWHERE, endpoint=endpoint, role=role) as container:
        message = container.last_message()
    assert f"s3://{BUCKET}/{ELSEWHERE}/manifest.json" in message
    assert "s3:GetObject" in message
