"""Shared by all rooms' tests: a small model published by the real training, and the service as a real process."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from api.store.manifest import LATEST
from tests.browser import PROGRAMS, Browser
from tests.buckets import REGION, create_bucket
from tests.california import EXAMPLE, MODELS_PREFIX
from tests.running import ROOT, Serve, Service, start_service

SLOW = ROOT / "tests" / "slow.txt"
STATLIB_FILE = ROOT.parent / "shared" / "data" / "cal_housing.data"

# A shell that runs the tests in the background has them ignore Control-C, and so would every process that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# An f-string of an Output would silently embed a warning instead of the value.
os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "true"


def pytest_configure(config: pytest.Config) -> None:
    """Let pass what MLflow's own code is warned of by the libraries under it."""
    for message in (
        "The ``noload`` loader strategy",
        "Operation with range is deprecated",
        ".*Any type hint is inferred",
    ):
        config.addinivalue_line("filterwarnings", f"ignore:{message}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make quick` leaves out: those of files that take long for each of their tests."""
    slow = {ROOT / "tests" / name for name in SLOW.read_text().split()}
    for item in items:
        if item.path in slow:
            item.add_marker(pytest.mark.slow)


def training(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m training` as a user does, with its own MLflow database in `cwd`."""
    return subprocess.run(
        [sys.executable, "-m", "training", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=280,
    )


def published_bucket(name: str, store: Path) -> str:
    """Create a bucket and publish the store's model to it, as version 1 and as latest; returns its name."""
    create_bucket(name)
    done = training("publish", "--store", f"s3://{name}", cwd=store.parent)
    assert done.returncode == 0, done.stderr
    return name


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local store with one small, really trained and published model, version 1."""
    home = tmp_path_factory.mktemp("trained")
    for command in (["train", "--candidates", "1", "--folds", "2"], ["publish", "--store", "models"]):
        done = training(*command, cwd=home)
        assert done.returncode == 0, done.stdout + done.stderr
    return home / "models"


@pytest.fixture(scope="session")
def model_directory(store: Path) -> Path:
    """The published model directory; tests that damage it use `damaged_directory`."""
    return (store / MODELS_PREFIX / LATEST).resolve()


@pytest.fixture
def damaged_directory(model_directory: Path, tmp_path: Path) -> Path:
    """A copy of the published model directory, to be damaged; its parent has no other version."""
    copy = tmp_path / "store" / "1"
    shutil.copytree(model_directory, copy)
    return copy


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts services with the given environment, and ends them after the test."""
    started: list[Service] = []

    def start(**environment: str) -> Service:
        service = start_service(tmp_path / f"service-{len(started)}.log", **environment)
        started.append(service)
        return service

    yield start
    for service in started:
        with contextlib.suppress(ProcessLookupError):
            service.process.kill()
        service.process.wait(10)


@pytest.fixture(scope="session")
def service(model_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests that only ask it things."""
    running = start_service(tmp_path_factory.mktemp("service") / "service.log", MODEL_PATH=str(model_directory))
    assert running.url, running.log.read_text()
    yield running
    running.process.kill()
    running.process.wait(10)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser, opened once; every test opens its own page."""
    if not all(map(shutil.which, PROGRAMS)):
        pytest.skip("needs a browser: apt-get install chromium chromium-driver")
    running = Browser(tmp_path_factory.mktemp("profile"))
    yield running
    running.driver.quit()


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """AWS emulated by moto's server, with credentials and region set for this process and those it starts."""
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",  # moto accepts any
        "AWS_DEFAULT_REGION": REGION,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield environment["AWS_ENDPOINT_URL"]
    server.stop()


@pytest.fixture
def example() -> dict[str, float]:
    """A valid request body: the first row of the dataset."""
    return dict(EXAMPLE)
