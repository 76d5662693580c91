"""The role that the stack gives a task, enforced: it opens the models and nothing else."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import boto3
import httpx
import pytest

from api.manifest import MODELS_PREFIX
from stack.config import Config
from stack.identity import read_models
from stack.model import PublishedModel
from tests.container import engine, task
from tests.running import free_port

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
        for name, value in {**task.ROLE, "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": task.REGION}.items():
            patch.setenv(name, value)
        try:
            wait_for(url)
            task.create_bucket(BUCKET)
            for path in (f"{MODELS_PREFIX}/1", ELSEWHERE):
                task.upload(model_directory, BUCKET, path)
            credentials = assume_task_role()
            httpx.post(f"{url}/moto-api/reset-auth", content=b"0").raise_for_status()
            yield url, credentials
        finally:
            server.kill()
            server.wait(10)


def wait_for(url: str) -> None:
    """Wait until moto's server answers."""
    for _ in range(300):
        try:
            httpx.get(f"{url}/moto-api/data.json").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("moto's server does not answer")


def assume_task_role() -> dict[str, str]:
    """Make the role with the policy that the stack gives it; returns a session's environment variables."""
    iam = boto3.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="task", AssumeRolePolicyDocument=policy(trust))["Role"]
    config = Config(stack="dev", region=task.REGION, model_bucket=BUCKET)
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


def run_from(path: str, image: str, guarded_s3: tuple[str, dict[str, str]]) -> AbstractContextManager[engine.Container]:
    """The stack's task with this model path and the role's credentials."""
    endpoint, role = guarded_s3
    definition = task.definition(image, PublishedModel(path=path, version="1", sha256=""), BUCKET)
    return task.run(definition, endpoint=endpoint, cpu=1024, role=role)


def test_role_opens_the_models(image: str, guarded_s3: tuple[str, dict[str, str]]) -> None:
    """With the stack's own policy and no other right, the task fetches its model and becomes healthy."""
    with run_from(f"{MODELS_PREFIX}/1", image, guarded_s3) as container:
        assert container.wait(60)["Running"], container.logs()


def test_role_opens_nothing_else(image: str, guarded_s3: tuple[str, dict[str, str]]) -> None:
    """A complete model outside the models' prefix is denied: the last line names the object and the missing right."""
    with run_from(ELSEWHERE, image, guarded_s3) as container:
        message = container.last_message()
    assert f"s3://{BUCKET}/{ELSEWHERE}/manifest.json" in message
    assert "s3:GetObject" in message
