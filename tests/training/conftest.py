"""Training's fixtures: the real rows without a download, and a registry with one small, really trained model."""

import os
import shutil
import signal
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError

import pandas as pd
import pytest
from mlflow.tracking._tracking_service import utils
from msgspec import structs

from tests.california import TABLE
from tests.running import await_ok, free_port
from training import pipeline
from training.pipeline import Trained
from training.publishing import tracking
from training.rows import california, data
from training.tables.loading import Described

SPACE = {"n_estimators": (20, 30), "max_depth": (3, 4), "learning_rate": (0.2, 0.3), "subsample": (0.8, 1.0)}
SMALL = Described(structs.replace(TABLE, search=structs.replace(TABLE.search, space=SPACE)), "0" * 64)
"""California Housing, with a search that takes a second."""


class Home(NamedTuple):
    """A working directory with its own MLflow database, and what was trained there."""

    path: Path
    trained: Trained


@pytest.fixture(scope="session", autouse=True)
def offline() -> Iterator[None]:
    """No test downloads the dataset: its rows come from the installed package."""

    def unreachable(**_: object) -> None:
        raise URLError("no network in tests")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(california, "fetch_california_housing", unreachable)
        yield


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    """The dataset."""
    return california.packaged()


@pytest.fixture(scope="session")
def first_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Where one small model was trained; never changed, tests that write use `home`."""
    path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        enter(path, patch)
        with tracking.connected():
            return Home(path, pipeline.train(SMALL, data.load(SMALL.table), candidates=2, folds=2))


@pytest.fixture(scope="session")
def tracking_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real tracking server as a team would run it: it keeps runs, registry and files; yields its address."""
    place = tmp_path_factory.mktemp("server")
    address = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "mlflow", "server", "--port", address.rpartition(":")[2], "--serve-artifacts"]
    command += ["--backend-store-uri", f"sqlite:///{place}/server.db", "--artifacts-destination", str(place / "files")]
    with (place / "log").open("wb") as output:
        server = subprocess.Popen(
            command, cwd=place, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, env=clean_environment()
        )
    await_ok(f"{address}/health", 180)
    yield address
    os.killpg(server.pid, signal.SIGTERM)
    server.wait(30)


def clean_environment() -> dict[str, str]:
    """This process's environment without what names a tracking server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}


@pytest.fixture
def home(first_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A copy of `first_home`, which is the working directory of the test."""
    shutil.copytree(first_home.path, tmp_path, dirs_exist_ok=True)
    enter(tmp_path, monkeypatch)
    # A process remembers where the files of a run lie; what is written to the copy must not go to the first home.
    monkeypatch.setattr(utils, "_artifact_repos_cache", OrderedDict())
    return Home(tmp_path, first_home.trained)


def searching(space: dict[str, tuple[float, ...]]) -> Described:
    """California Housing, with another space to search."""
    return Described(structs.replace(TABLE, search=structs.replace(TABLE.search, space=SPACE | space)), "0" * 64)


def search_small(patch: pytest.MonkeyPatch, described: Described = SMALL) -> None:
    """Let the commands search the small space, or another."""
    train = pipeline.train
    patch.setattr(pipeline, "train", lambda _, *args, **options: train(described, *args, **options))


def enter(path: Path, patch: pytest.MonkeyPatch) -> None:
    """Work in `path`, tracking into a database there."""
    patch.chdir(path)
    patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}/mlflow.db")
