"""Services that are set up unlike the one that most tests share, and how long the property tests search."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.api.tables import ServedTable, publish_table, served
from tests.running import Service, free_port, start_service

# `make fuzz` sets HYPOTHESIS_PROFILE=fuzz. The bounded search is the same on every run.
settings.register_profile("fuzz", deadline=None, suppress_health_check=list(HealthCheck), max_examples=5_000)
settings.register_profile("bounded", settings.get_profile("fuzz"), max_examples=60, derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "bounded"))


OLD_KEY, NEW_KEY = "old-key-4f1c", "new-key-93ab"


@pytest.fixture(scope="session")
def served_table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], ServedTable]]:
    """Gives a table of `TABLES` by its name, with the service of its model, which is started once."""
    started: dict[str, ServedTable] = {}

    def find(name: str) -> ServedTable:
        if name not in started:
            table = publish_table(name, tmp_path_factory.mktemp(name) / "1")
            started[name] = ServedTable(table, served(table.folder))
        return started[name]

    yield find
    for each in started.values():
        each.service.process.kill()
        each.service.process.wait(10)


@pytest.fixture(scope="session")
def guarded(model_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service as in production: API keys, metrics, behind one proxy, without documents."""
    running = start_service(
        tmp_path_factory.mktemp("guarded") / "service.log",
        MODEL_PATH=str(model_directory),
        API_KEYS=f"{OLD_KEY}, {NEW_KEY}\n",
        METRICS_PORT=str(free_port()),
        TRUSTED_PROXIES="1",
        DOCS="false",
    )
    assert running.url, running.log.read_text()
    yield running
    running.process.kill()
    running.process.wait(10)


@pytest.fixture(scope="session")
def hasty(model_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that waits half a second for a request and a second for the next, and holds 1 MB of bodies."""
    imports = "import sys; from api.http import messages; from api.http.connection import protocol"
    bounds = "protocol.REQUEST_SECONDS = 0.5; messages.MAX_HELD_BYTES = 2**20"
    running = start_service(
        tmp_path_factory.mktemp("hasty") / "service.log",
        arguments=("-c", f"{imports}; {bounds}; from api.__main__ import main; sys.exit(main())"),
        MODEL_PATH=str(model_directory),
        KEEP_ALIVE_SECONDS="1",
    )
    assert running.url, running.log.read_text()
    yield running
    running.process.kill()
    running.process.wait(10)
