"""The stack's own task on this machine: its definition, the emulated S3 that it asks, and a role in name only."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import boto3

from stack.config import Config
from stack.container import container_definition
from stack.model import PublishedModel
from tests.container import engine, fargate

REGION: Final = "us-west-2"
MEMORY_MIB = 512
ROLE = {"AWS_ACCESS_KEY_ID": "task", "AWS_SECRET_ACCESS_KEY": "role"}
"""The emulated S3 takes any credentials; on Fargate they come from the task's role."""


def definition(image: str, model: PublishedModel, bucket: str) -> dict[str, Any]:
    """The container definition that the stack makes for this image and model."""
    config = Config(stack="dev", region=REGION, model_bucket=bucket)
    return container_definition(config, model, image=image, log_group="unused")


def run(defined: dict[str, Any], *, endpoint: str, cpu: int) -> AbstractContextManager[engine.Container]:
    """Run it at so many CPU units, with S3 at `endpoint`."""
    environment = {**ROLE, "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION}
    role = [flag for name, value in environment.items() for flag in ("--env", f"{name}={value}")]
    return engine.running(defined["image"], *fargate.flags(defined, cpu=cpu, memory=MEMORY_MIB), *role)


def create_bucket(name: str) -> None:
    """Create a bucket in the emulated S3."""
    boto3.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})


def upload(folder: Path, bucket: str, prefix: str) -> None:
    """Put a directory into a bucket as it is."""
    for file in folder.iterdir():
        boto3.client("s3").upload_file(str(file), bucket, f"{prefix}/{file.name}")
