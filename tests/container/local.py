"""`make ecs-local`: the stack's own task, run in Docker with a model in emulated S3, and what it did."""

import contextlib
import http.client
import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

from moto.server import ThreadedMotoServer

from api import manifest
from api.manifest import LATEST, MANIFEST_NAME, MODELS_PREFIX
from api.schemas import EXAMPLE
from stack.container import PORT, canonical_json
from stack.model import PublishedModel
from tests.container import engine, task

BUCKET = "local-models"
CPU = 256
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
    os.environ.update(task.ROLE, AWS_ENDPOINT_URL=endpoint, AWS_DEFAULT_REGION=task.REGION)
    try:
        raw = (folder / MANIFEST_NAME).read_bytes()
        model = PublishedModel(f"{MODELS_PREFIX}/{folder.name}", manifest.identity(raw), folder.name)
        task.create_bucket(BUCKET)
        task.upload(folder, BUCKET, model.path)
        _run(task.definition(image, model, BUCKET), endpoint)
    finally:
        server.stop()
    return 0


def _run(definition: dict[str, Any], endpoint: str) -> None:
    print(f"Container definition: {canonical_json(definition)}")
    with task.run(definition, endpoint=endpoint, cpu=CPU) as container:
        state = container.wait(definition["healthCheck"]["startPeriod"])
        if not state["Running"]:
            raise SystemExit(f"The task ended:\n{container.logs()}")
        print(f"Healthy by its own check, at {CPU / 1024:g} vCPU and {task.MEMORY_MIB} MiB.")
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
