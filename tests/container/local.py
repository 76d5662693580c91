"""`make ecs-local`: the stack's own task, run in Docker with a model in emulated S3, and what it did."""

import contextlib
import http.client
import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Final

import boto3
from moto.server import ThreadedMotoServer

from api import manifest
from api.manifest import LATEST, MANIFEST_NAME, MODELS_PREFIX
from api.schemas import EXAMPLE
from stack.config import Config
from stack.container import PORT, canonical_json, container_definition
from stack.model import PublishedModel
from tests.container import engine, fargate

BUCKET = "local-models"
REGION: Final = "us-west-2"
CPU, MEMORY = 256, 512
REQUESTS = 3_000


def main(image: str, store: str) -> int:
    """Run the task once; returns the exit code."""
    folder = (Path(store) / MODELS_PREFIX / LATEST).resolve()
    if not engine.answers():
        return _fail(engine.NO_ENGINE)
    if not (folder / MANIFEST_NAME).exists():
        return _fail(f"nothing is published in {store}: run `make train`")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    role = {"AWS_ACCESS_KEY_ID": "task", "AWS_SECRET_ACCESS_KEY": "role", "AWS_ENDPOINT_URL": endpoint}
    os.environ.update(role, AWS_DEFAULT_REGION=REGION)
    try:
        raw = (folder / MANIFEST_NAME).read_bytes()
        model = PublishedModel(f"{MODELS_PREFIX}/{folder.name}", manifest.identity(raw), folder.name)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for file in folder.iterdir():
            s3.upload_file(str(file), BUCKET, f"{model.path}/{file.name}")
        _run(image, model, role)
    finally:
        server.stop()
    return 0


def _run(image: str, model: PublishedModel, role: dict[str, str]) -> None:
    config = Config(stack="dev", region=REGION, model_bucket=BUCKET)
    definition = container_definition(config, model, image=image, log_group="unused")
    print(f"Container definition: {canonical_json(definition)}")
    extra = [flag for name, value in {**role, "AWS_REGION": REGION}.items() for flag in ("--env", f"{name}={value}")]
    flags = fargate.flags(definition, cpu=CPU, memory=MEMORY)
    with engine.running(image, *flags, *extra) as container:
        state = container.wait(definition["healthCheck"]["startPeriod"])
        if not state["Running"]:
            raise SystemExit(f"The task ended:\n{container.logs()}")
        print(f"Healthy by its own check, at {CPU / 1024:g} vCPU and {MEMORY} MiB.")
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)) as connection:
            answers = {_predict(connection) for _ in range(REQUESTS)}
        print(f"{REQUESTS:,} predictions: {answers}. Memory: {container.memory_mib():.0f} MiB.")
        started = time.monotonic()
        engine.docker("stop", container.id)
        code = container.state()["ExitCode"]
        print(f"SIGTERM: exit code {code} after {time.monotonic() - started:.1f} of {definition['stopTimeout']} s.")


def _predict(connection: http.client.HTTPConnection) -> float:
    connection.request("POST", "/predict", json.dumps(EXAMPLE), {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    return float(answer["median_house_value"])


def _fail(why: str) -> int:
    print(f"Error: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
