"""Fixtures: the built images, a model in emulated S3, and the task that the stack defines."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import xgboost

from api.store import manifest
from api.store.manifest import MANIFEST_NAME, FileDigest, KnownAnswers
from stack.storage.model import PublishedModel
from tests.buckets import upload
from tests.california import FEATURES, MODELS_PREFIX
from tests.conftest import published_bucket
from tests.container import engine, task
from tests.manifests import rewrite

BASES = ("python:3.13-slim", "python:3.11-slim")
BUCKET = "container-models"

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


def build(base: str, *, scoring: bool = False) -> str:
    tag = f"california-housing-api:test-{base.split(':')[1]}{'-scoring' if scoring else ''}"
    if not engine.has_image(base):
        engine.docker("pull", "--quiet", base, check=False)
    if not engine.has_image(base):
        pytest.skip(f"no base image {base}, and no registry to pull it from")
    engine.build(base, tag, scoring=scoring)
    return tag


@pytest.fixture(scope="session")
def bucket(store: Path, moto_url: str) -> str:
    """A bucket with the model published as version 1 and as latest."""
    return published_bucket(BUCKET, store)


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
    upload(folder, BUCKET, f"{MODELS_PREFIX}/2")
    return f"{MODELS_PREFIX}/2"


def republish(folder: Path, booster: xgboost.Booster | None = None, **changes: Any) -> None:
    """Write a directory's manifest anew after its files, or what it says, have changed."""
    described = manifest.decode((folder / MANIFEST_NAME).read_bytes())
    if booster is not None:
        rows = described.known_answers.rows
        matrix = xgboost.DMatrix(np.array(rows, np.float32), feature_names=list(FEATURES))
        answers = [[value] for value in booster.predict(matrix).tolist()]
        changes["known_answers"] = KnownAnswers(rows, answers, answers)
    files = {name: FileDigest.of((folder / name).read_bytes()) for name in described.files}
    rewrite(folder, files=files, model_version=folder.name, **changes)


@pytest.fixture
def run_task(image: str, moto_url: str) -> RunTask:
    """Runs the container definition that the stack makes; S3 and the task's role are moto's."""

    def run(
        *,
        bucket: str = BUCKET,
        path: str = f"{MODELS_PREFIX}/1",
        endpoint: str = moto_url,
        cpu: int = 1024,
        role: dict[str, str] = task.ROLE,
    ) -> AbstractContextManager[engine.Container]:
        model = PublishedModel(path=path, version="1", sha256="")
        return task.run(task.definition(image, model, bucket), endpoint=endpoint, cpu=cpu, role=role)

    return run


@pytest.fixture
def healthy_task(run_task: RunTask, bucket: str) -> Iterator[engine.Container]:
    """The task at a quarter of a vCPU and 512 MB, healthy by its own check."""
    with run_task(bucket=bucket, cpu=256) as container:
        state = container.wait(60)
        assert state["Running"], container.logs()
        yield container
