"""SIGTERM, as ECS sends it: nothing that was accepted is lost, and the process ends well."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.api.wire import Wire, request
from tests.california import EXAMPLE
from tests.running import ROOT, Serve, Service

GOOD = request(json.dumps(EXAMPLE).encode())


@pytest.fixture
def doomed(serve: Serve, model_directory: Path) -> Service:
    """A service that will be ended."""
    running = serve(MODEL_PATH=str(model_directory), SHUTDOWN_SECONDS="6")
    assert running.url, running.log.read_text()
    return running


def test_nothing_is_lost_under_load(doomed: Service) -> None:
    """Callers that send without a pause, before and during the drain, are all answered; the exit code is 0."""
    answered = 0

    async def call(client: httpx.AsyncClient, over: asyncio.Event) -> None:
        nonlocal answered
        while not over.is_set():
            response = await client.post("/predict", json=EXAMPLE)
            assert response.status_code == 200
            answered += 1

    async def load() -> int:
        over = asyncio.Event()
        async with httpx.AsyncClient(base_url=doomed.url, timeout=30) as client:
            async with asyncio.TaskGroup() as group:
                for _ in range(8):
                    group.create_task(call(client, over))
                while answered < 100:
                    await asyncio.sleep(0.01)
                doomed.process.terminate()
                # As a load balancer would, the callers go elsewhere once the service is not ready.
                while (await client.get("/ready")).status_code == 200:
                    await asyncio.sleep(0.01)
                before = answered
                while answered < before + 100:
                    await asyncio.sleep(0.01)
                over.set()
            return answered

    total = asyncio.run(load())
    assert doomed.process.wait(20) == 0
    lines = [line for line in doomed.lines() if line.get("path") == "/predict"]
    assert len(lines) == total
    assert {line["status"] for line in lines} == {200}


def test_requests_half_sent_are_awaited(doomed: Service) -> None:
    """A request of which a part had arrived at SIGTERM is answered when the rest comes, its connection then closed."""
    with Wire(doomed.url) as slow, Wire(doomed.url) as probe:
        slow.send(GOOD[:-20])
        assert probe.send(b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n").answer().status == 200
        doomed.process.terminate()
        refused = httpx.get(f"{doomed.url}/ready")
        while refused.status_code == 200:
            refused = httpx.get(f"{doomed.url}/ready")
        assert refused.status_code == 503
        assert refused.json()["reason"] == "shutting down"
        assert httpx.get(f"{doomed.url}/health").status_code == 200
        answer = slow.send(GOOD[-20:]).answer()
        assert answer.status == 200
        assert answer.headers["connection"] == "close"
        assert slow.is_closed()
    assert doomed.process.wait(20) == 0


def test_idle_connections_do_not_hold_it_up(doomed: Service) -> None:
    """Connections that only wait are closed at the end of the drain, silently, and so are those that never end."""
    with Wire(doomed.url) as idle, Wire(doomed.url) as silent, Wire(doomed.url) as endless:
        assert idle.send(GOOD).answer().status == 200
        endless.send(GOOD[:-1])
        doomed.process.terminate()
        assert idle.is_closed()
        assert silent.is_closed()
        assert doomed.process.wait(20) == 0


def test_a_second_sigterm_changes_nothing(doomed: Service) -> None:
    """ECS may send SIGTERM twice; the drain goes on."""
    with Wire(doomed.url) as slow:
        slow.send(GOOD[:-1])
        doomed.process.terminate()
        while httpx.get(f"{doomed.url}/ready").status_code == 200:
            continue
        doomed.process.terminate()
        assert slow.send(GOOD[-1:]).answer().status == 200
    assert doomed.process.wait(20) == 0


def test_sigint_ends_it_too(doomed: Service) -> None:
    """Control-C ends the service on the terminal without a traceback."""
    doomed.process.send_signal(signal.SIGINT)
    assert doomed.process.wait(20) == 0
    assert not [line for line in doomed.lines() if "exception" in line]


SLOW_START = """
import os, sys, time
from api import loading
from api.__main__ import main

def fetch(*_):
    print(os.getpid(), flush=True)
    time.sleep(60)

loading.fetch = fetch
sys.exit(main())
"""


def test_sigterm_while_loading_ends_it_at_once() -> None:
    """A service that still waits for its model has nothing to lose; it leaves no process behind."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_START],
        cwd=ROOT,
        env={**os.environ, "MODEL_PATH": "x", "PORT": "0"},
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout
        loading = int(process.stdout.readline())
        process.terminate()
        assert process.wait(20) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(loading, 0)
