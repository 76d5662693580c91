"""The stack's own task on this machine: its definition, the emulated S3 that it asks, and a role in name only."""

import contextlib
import http.client
import json
import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click
from moto.server import ThreadedMotoServer

from api.store import manifest
from api.store.manifest import LATEST, MANIFEST_NAME
from stack.settings.config import Config
from stack.storage.model import PublishedModel
from stack.tasks.container import PORT, container_definition
from tests.buckets import REGION, create_bucket, upload
from tests.california import EXAMPLE, MODELS_PREFIX
from tests.container import engine, fargate

MEMORY_MIB = 512
BUCKET = "local-models"
ROLE = {"AWS_ACCESS_KEY_ID": "task", "AWS_SECRET_ACCESS_KEY": "role"}
"""The emulated S3 takes any credentials; on Fargate they come from the task's role."""


def definition(image: str, model: PublishedModel, bucket: str) -> dict[str, Any]:
    """The container definition that the stack makes for this image and model."""
    config = Config(stack="dev", region=REGION, model_bucket=bucket)
    return container_definition(config, model, image=image, log_group="unused")


def run(
    defined: dict[str, Any], *, endpoint: str, cpu: int, role: dict[str, str] = ROLE
) -> AbstractContextManager[engine.Container]:
    """Run it at so many CPU units, with S3 at `endpoint`."""
    environment = {**role, "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION}
    variables = [flag for name, value in environment.items() for flag in ("--env", f"{name}={value}")]
    return engine.running(defined["image"], *fargate.flags(defined, cpu=cpu, memory=MEMORY_MIB), *variables)


@contextlib.contextmanager
def latest_in_s3(store: Path, image: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The container definition for a local store's latest model, and the emulated S3 that has it.

    Raises:
        click.ClickException: nothing is published there.
    """
    folder = (store / MODELS_PREFIX / LATEST).resolve()
    if not (folder / MANIFEST_NAME).exists():
        raise click.ClickException(f"nothing is published in {store}: run `make train`")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        os.environ.update(ROLE, AWS_ENDPOINT_URL=endpoint, AWS_DEFAULT_REGION=REGION)
        sha256 = manifest.identity((folder / MANIFEST_NAME).read_bytes())
        model = PublishedModel(f"{MODELS_PREFIX}/{folder.name}", sha256, folder.name)
        create_bucket(BUCKET)
        upload(folder, BUCKET, model.path)
        yield definition(image, model, BUCKET), endpoint
    finally:
        server.stop()


def predictions(count: int) -> set[float]:
    """Ask the running task so many times for the example's value, on one connection; returns the different answers."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)) as connection:
        return {_predict(connection) for _ in range(count)}


def _predict(connection: http.client.HTTPConnection) -> float:
    connection.request("POST", "/predict", json.dumps(EXAMPLE), {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    return float(answer["median_house_value"])
