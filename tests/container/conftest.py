"""Fixtures: the built images, a model in emulated S3, and the task that the stack defines."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import boto3
import msgspec
import numpy as np
import pytest
import xgboost

from api import manifest
from api.manifest import MANIFEST_NAME, FileDigest, KnownAnswers
from api.schemas import FEATURES
from stack.config import Config
from stack.container import container_definition
from stack.model import PublishedModel
from tests.conftest import training
from tests.container import engine, fargate

BASES = ("python:3.13-slim", "python:3.11-slim")
BUCKET = "container-models"
MODELS = "mlflow/models/california-housing"
REGION: Final = "us-west-2"

RunTask = Callable[..., AbstractContextManager[engine.Container]]


@pytest.fixture(scope="session")
def docker_engine() -> None:
    if not engine.answers():
        pytest.skip(engine.NO_ENGINE)


@pytest.fixture(scope="session", params=BASES)
def any_image(request: pytest.FixtureRequest, docker_engine: None) -> str:
    """The image on each base that the project supports."""
    return build(request.param)


@pytest.fixture(scope="session")
def image(docker_engine: None) -> str:
    """The image on its default base."""
    return build(BASES[0])


def build(base: str) -> str:
    tag = f"california-housing-api:test-{base.split(':')[1]}"
    if not engine.has_image(base):
        engine.docker("pull", "--quiet", base, check=False)
    if not engine.has_image(base):
        pytest.skip(f"no base image {base}, and no registry to pull it from")
    engine.build(base, tag)
    return tag


@pytest.fixture(scope="session")
def bucket(store: Path, moto_url: str) -> str:
    """A bucket with the model published as version 1 and as latest."""
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    done = training("publish", "--store", f"s3://{BUCKET}", cwd=store.parent)
    assert done.returncode == 0, done.stderr
    return BUCKET


@pytest.fixture
def readable_model(model_directory: Path) -> Iterator[Path]:
    """The model directory where the container's user may read it: pytest's own folders are closed to others."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(shutil.copytree(model_directory, Path(folder) / "model"))


@pytest.fixture(scope="session")
def other_path(bucket: str, model_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A second model in the bucket, version 2: the first one's earliest hundred trees."""
    folder = tmp_path_factory.mktemp("other") / "2"
    shutil.copytree(model_directory, folder)
    booster = xgboost.Booster(model_file=folder / "model.ubj")[:100]
    booster.save_model(folder / "model.ubj")
    republish(folder, booster)
    upload(folder, f"{MODELS}/2")
    return f"{MODELS}/2"


def republish(folder: Path, booster: xgboost.Booster | None = None, **changes: Any) -> None:
    """Write a directory's manifest anew after its files, or what it says, have changed."""
    described = manifest.decode((folder / MANIFEST_NAME).read_bytes())
    if booster is not None:
        rows = described.known_answers.rows
        matrix = xgboost.DMatrix(np.array(rows, np.float32), feature_names=list(FEATURES))
        changes["known_answers"] = KnownAnswers(rows, booster.predict(matrix).tolist())
    files = {}
    for name in described.files:
        content = (folder / name).read_bytes()
        files[name] = FileDigest(hashlib.sha256(content).hexdigest(), len(content))
    described = msgspec.structs.replace(described, files=files, model_version=folder.name, **changes)
    (folder / MANIFEST_NAME).write_bytes(manifest.encode(described))


def upload(folder: Path, prefix: str) -> None:
    """Put a directory into the bucket as it is."""
    for file in folder.iterdir():
        boto3.client("s3").upload_file(str(file), BUCKET, f"{prefix}/{file.name}")


@pytest.fixture
def run_task(image: str, moto_url: str) -> RunTask:
    """Runs the container definition that the stack makes; S3 and the task's role are moto's."""

    def run(
        *, bucket: str = BUCKET, path: str = f"{MODELS}/1", sha256: str = "", endpoint: str = moto_url, cpu: int = 1024
    ) -> AbstractContextManager[engine.Container]:
        config = Config(stack="dev", region=REGION, model_bucket=bucket)
        model = PublishedModel(path=path, version="1", sha256=sha256)
        definition = container_definition(config, model, image=image, log_group="unused")
        role = {"AWS_ACCESS_KEY_ID": "task", "AWS_SECRET_ACCESS_KEY": "role", "AWS_ENDPOINT_URL": endpoint}
        extra = [
            flag for name, value in {**role, "AWS_REGION": REGION}.items() for flag in ("--env", f"{name}={value}")
        ]
        return engine.running(image, *fargate.flags(definition, cpu=cpu, memory=512), *extra)

    return run


@pytest.fixture
def task(run_task: RunTask, bucket: str) -> Iterator[engine.Container]:
    """The task at a quarter of a vCPU and 512 MB, healthy by its own check."""
    with run_task(bucket=bucket, cpu=256) as container:
        state = container.wait(60)
        assert state["Running"], container.logs()
        yield container
