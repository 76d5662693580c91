"""Captured rows: what a real service sends to a real relay, and that neither can hold up a request."""

import contextlib
import datetime
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.relay import MAX_LINE_BYTES
from api.watch.capture import Capture, as_sent
from tests.api.watch.populations import SCHEMA, bodies, frame_of, in_each_protocol, published
from tests.running import ROOT, Serve, Service, free_port

SENT = list(bodies(frame_of(np.random.default_rng(1), 20)))


@dataclass
class Relay:
    """A relay's process, and what it has printed."""

    process: subprocess.Popen[bytes]
    printed: Path

    def lines(self) -> list[dict[str, Any]]:
        """All of it, decoded."""
        return [json.loads(line) for line in self.printed.read_bytes().splitlines()]

    def of_request(self, identity: str, rows: int) -> list[dict[str, Any]]:
        """The lines of a request, once they are all there."""

        def found() -> list[dict[str, Any]]:
            whole = self.printed.read_bytes().rpartition(b"\n")[0].splitlines()
            return [line for line in map(json.loads, whole) if line["request_id"] == identity]

        await_true(lambda: len(found()) >= rows)
        return found()

    def stop(self) -> int:
        """End it with SIGTERM; returns its exit code."""
        self.process.terminate()
        return self.process.wait(30)


StartRelay = Callable[[], Relay]


def await_true(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("watched") / "1")


@pytest.fixture
def port() -> int:
    """Where this test's relay listens."""
    return free_port()


@pytest.fixture
def start_relay(port: int, tmp_path: Path) -> Iterator[StartRelay]:
    """Starts a relay, and another one after the first has ended."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> Relay:
        printed = tmp_path / f"relay-{len(started)}.log"
        with printed.open("wb") as stream:
            environment = {**os.environ, "CAPTURE_PORT": str(port)}
            process = subprocess.Popen([sys.executable, "-m", "api.relay"], cwd=ROOT, env=environment, stdout=stream)
        started.append(process)
        await_true(lambda: listens(port))
        return Relay(process, printed)

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait(10)


@pytest.fixture
def service(serve: Serve, folder: Path, port: int) -> Service:
    """A service that captures every request."""
    metrics = str(free_port())
    service = serve(MODEL_PATH=str(folder), CAPTURE_PERCENT="100", CAPTURE_PORT=str(port), METRICS_PORT=metrics)
    assert service.url, service.log.read_text()
    return service


def counted(service: Service) -> dict[str, float]:
    """How many rows the service says that it has sent and dropped."""
    environment = Path(f"/proc/{service.process.pid}/environ").read_text().split("\0")
    port = dict(each.split("=", 1) for each in environment if each)["METRICS_PORT"]
    families = text_string_to_metric_families(httpx.get(f"http://127.0.0.1:{port}/metrics").text)
    return {sample.name: sample.value for each in families for sample in each.samples if "captured" in sample.name}


def ask_until_captured(service: Service) -> None:
    """Ask until the relay is connected."""

    def captured() -> bool:
        before = counted(service)["captured_rows_total"]
        httpx.post(f"{service.url}/predict", json=SENT[0]).raise_for_status()
        await_true(lambda: sum(counted(service).values()) >= before + 1)
        return counted(service)["captured_rows_total"] > before

    await_true(captured)


def test_rows_as_they_were_sent(start_relay: StartRelay, service: Service) -> None:
    """Whatever the protocol: a line a row with time, request, model, the values by name and the batch's own answer."""
    relay = start_relay()
    ask_until_captured(service)
    bodies_of = {"/predict": SENT[0], **in_each_protocol(SENT)}
    before = datetime.datetime.now(datetime.UTC)
    with service.client() as client:
        for path, body in bodies_of.items():
            client.post(path, json=body, headers={"X-Request-ID": path}).raise_for_status()
        answers = client.post("/predict/batch", json={"rows": SENT}).json()["predictions"]
    for path in bodies_of:
        rows = SENT[:1] if path == "/predict" else SENT
        lines = relay.of_request(path, len(rows))
        assert [line["row"] for line in lines] == list(range(len(rows)))
        assert {line["model_version"] for line in lines} == {"1"}
        times = [datetime.datetime.fromisoformat(line["time"]) for line in lines]
        assert before <= min(times) <= max(times) <= datetime.datetime.now(datetime.UTC)
        assert [line["prediction"] for line in lines] == answers[: len(rows)]
        for line, row in zip(lines, rows, strict=True):
            assert line["features"] == row
            assert [type(value) for value in line["features"].values()][1:] == [int, bool, str]


def test_refused_requests_are_not_captured(start_relay: StartRelay, service: Service) -> None:
    """What was not answered has no answer to keep, and `/explain` is for people who look."""
    relay = start_relay()
    ask_until_captured(service)
    with service.client(headers={"X-Request-ID": "never"}) as client:
        assert client.post("/predict", json={}).status_code == 422
        client.post("/explain", json=SENT[0]).raise_for_status()
        client.post("/predict", json=SENT[0], headers={"X-Request-ID": "after"}).raise_for_status()
    relay.of_request("after", 1)
    assert "never" not in {line["request_id"] for line in relay.lines()}


def test_relay_comes_and_goes(start_relay: StartRelay, service: Service) -> None:
    """Before there is a relay, and while there is none, requests are answered and rows are dropped and counted."""
    httpx.post(f"{service.url}/predict", json=SENT[0]).raise_for_status()
    assert counted(service) == {"captured_rows_total": 0, "captured_rows_dropped_total": 1}
    for _ in range(2):
        relay = start_relay()
        ask_until_captured(service)
        relay.process.kill()
        relay.process.wait(10)
        dropped = counted(service)["captured_rows_dropped_total"]

        def is_dropped(before: float = dropped) -> bool:
            httpx.post(f"{service.url}/predict", json=SENT[0]).raise_for_status()
            return counted(service)["captured_rows_dropped_total"] > before

        await_true(is_dropped)
    # Once at the start, and once more when it had been there and was gone.
    await_true(lambda: service.log.read_text().count("python -m api.relay") >= 2)


def test_relay_that_does_not_read(service: Service, port: int) -> None:
    """What nobody takes is dropped and counted; requests are answered, and the memory does not grow with it."""
    with socket.create_server(("127.0.0.1", port)), service.client() as client:
        ask_until_captured(service)
        body = {"rows": SENT * 500}
        client.post("/predict/batch", json=body).raise_for_status()
        size = resident(service)
        for _ in range(5):
            client.post("/predict/batch", json=body).raise_for_status()
            client.post("/predict", json=SENT[0]).raise_for_status()
        await_true(lambda: sum(counted(service).values()) >= 60_000)
        assert counted(service)["captured_rows_dropped_total"] > 10_000
        assert resident(service) < size + 16 * 2**20


def resident(service: Service) -> int:
    pages = int(Path(f"/proc/{service.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_the_last_rows_are_sent(start_relay: StartRelay, service: Service) -> None:
    """SIGTERM to both at once, as ECS ends a task: the service's last rows are printed, and both end with 0."""
    relay = start_relay()
    ask_until_captured(service)
    with service.client(headers={"X-Request-ID": "last"}) as client:
        client.post("/predict/batch", json={"rows": SENT * 100}).raise_for_status()
    relay.process.terminate()
    assert service.stop() == 0
    assert relay.process.wait(30) == 0
    assert [line["row"] for line in relay.of_request("last", 2000)] == list(range(2000))


def test_nothing_is_captured_by_default(serve: Serve, folder: Path, port: int) -> None:
    """A service that nobody asked to capture connects to nothing."""
    service = serve(MODEL_PATH=str(folder), CAPTURE_PORT=str(port))
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(1.5)
        httpx.post(f"{service.url}/predict", json=SENT[0]).raise_for_status()
        with pytest.raises(TimeoutError):
            listener.accept()


def test_relay_prints_whole_lines(start_relay: StartRelay, port: int) -> None:
    """A line that breaks off, or is longer than CloudWatch Logs takes, is left out; those around it are printed."""
    relay = start_relay()
    with (
        socket.create_connection(("127.0.0.1", port)) as first,
        socket.create_connection(("127.0.0.1", port)) as second,
    ):
        first.sendall(b"one\n" + b"x" * (MAX_LINE_BYTES + 5) + b"\n" + b"two\nbroken")
        second.sendall(b"three\n")
    await_true(lambda: relay.printed.read_bytes().count(b"\n") == 3)
    assert relay.stop() == 0
    assert sorted(relay.printed.read_bytes().split()) == [b"one", b"three", b"two"]


def test_relay_ends_at_once_without_a_service(start_relay: StartRelay) -> None:
    """With nobody connected, SIGTERM and Control-C end it, with 0."""
    for number in (signal.SIGTERM, signal.SIGINT):
        relay = start_relay()
        relay.process.send_signal(number)
        assert relay.process.wait(5) == 0


@pytest.mark.parametrize("value", ["taken", "70000", "nine"])
def test_relay_that_cannot_listen(value: str, port: int) -> None:
    """A port that is taken or is none ends it with one line that names the setting."""
    with socket.create_server(("127.0.0.1", port)):
        done = subprocess.run(
            [sys.executable, "-m", "api.relay"],
            cwd=ROOT,
            env={**os.environ, "CAPTURE_PORT": str(port) if value == "taken" else value},
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: CAPTURE_PORT=")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("percent", [0, 0.5, 25, 99, 100])
def test_share_is_kept(percent: float) -> None:
    """Of many requests the share is kept that was asked for, and in no rhythm: pairs are as frequent as by chance."""
    capture = Capture(SCHEMA, "1", percent, 9001)
    capture.key = b"0" * 16
    chosen = np.array([capture.chooses() for _ in range(20_000)])
    share = percent / 100
    assert chosen.mean() == pytest.approx(share, abs=0.01)
    assert (chosen[1:] & chosen[:-1]).mean() == pytest.approx(share**2, abs=0.01)


def test_values_in_the_tables_terms() -> None:
    """Categories by name, yes and no, whole numbers, and null for what is missing, whichever way it came."""
    size, rooms, new, town = SCHEMA.features
    assert [as_sent(size, value) for value in (1.5, float("nan"))] == [1.5, None]
    assert [as_sent(new, value) for value in (True, 0.0)] == [True, False]
    assert as_sent(town, 2.0) == "east"
    assert [repr(as_sent(rooms, value)) for value in (3.0, 2.5)] == ["3", "2.5"]
