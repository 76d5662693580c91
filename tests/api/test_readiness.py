"""Whether the service may be given requests: it says no, and why, as soon as it should not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.running import ROOT, Serve, Service

# On SIGUSR1 every prediction fails, on SIGUSR2 it is not a number; a stall counts from a third of a second.
FRAGILE = """
import signal, sys
import numpy as np
from api.model import readiness
from api.__main__ import main
from api.trees.walk import Trees

def fail(*_):
    raise RuntimeError("out of order")

readiness.STALL_SECONDS = 0.3
readiness.REMEMBER_STALL_SECONDS = 3.0
signal.signal(signal.SIGUSR1, lambda *_: setattr(Trees, "predict", fail))
signal.signal(signal.SIGUSR2, lambda *_: setattr(Trees, "predict", lambda _, rows: np.full(len(rows), np.nan)))
sys.exit(main())
"""


@pytest.fixture
def fragile(serve: Serve, model_directory: Path) -> Service:
    """A service that can be broken while it runs."""
    running = serve(arguments=("-c", FRAGILE), MODEL_PATH=str(model_directory))
    assert running.url, running.log.read_text()
    return running


def await_ready(service: Service, status: int) -> httpx.Response:
    """Ask until it answers with this status; it should within a moment."""
    for _ in range(500):
        response = httpx.get(f"{service.url}/ready", timeout=30)
        if response.status_code == status:
            return response
        time.sleep(0.02)
    raise AssertionError(f"/ready is still {response.status_code}: {response.text}")


def healthcheck(service: Service) -> subprocess.CompletedProcess[str]:
    """What the container's health check says of it."""
    environment = {**os.environ, "PORT": service.url.rpartition(":")[2]}
    return subprocess.run(
        [sys.executable, "-m", "api.healthcheck"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30
    )


def test_ready_names_the_model(service: Service) -> None:
    """A ready service says which model it is ready with, and the container's health check is content."""
    response = httpx.get(f"{service.url}/ready")
    assert response.status_code == 200
    assert response.json() == {"status": "ready", "model_name": "california-housing", "model_version": "1"}
    assert healthcheck(service).returncode == 0


@pytest.mark.parametrize(
    ("breaking", "reason"),
    [(signal.SIGUSR1, "predictions fail: the model failed"), (signal.SIGUSR2, "not a finite number")],
)
def test_failing_predictions_end_readiness(
    fragile: Service, example: dict[str, float], breaking: signal.Signals, reason: str
) -> None:
    """When predictions begin to fail, /ready turns 503 with the reason, and callers get a 500 that tells nothing."""
    await_ready(fragile, 200)
    fragile.process.send_signal(breaking)
    response = await_ready(fragile, 503)
    assert response.json()["status"] == "not ready"
    assert reason in response.json()["reason"]
    with fragile.client() as client:
        for path, body in (("/predict", example), ("/predict/batch", {"rows": [example]}), ("/explain", example)):
            answer = client.post(path, json=body)
            assert answer.status_code == 500, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert set(answer.json()) == {"type", "title", "status", "detail", "request_id"}
            assert "out of order" not in answer.text
        assert client.get("/health").status_code == 200
    checked = healthcheck(fragile)
    assert checked.returncode == 1
    assert reason in checked.stderr
    failures = [line for line in fragile.lines_until_now() if "exception" in line]
    assert failures
    assert all(line["level"] == "ERROR" for line in failures)


def test_a_stalled_event_loop_ends_readiness_for_a_while(fragile: Service, example: dict[str, float]) -> None:
    """A process that stood still says so when it goes on, still predicts, and is ready again a while later."""
    await_ready(fragile, 200)
    fragile.process.send_signal(signal.SIGSTOP)
    time.sleep(0.7)
    fragile.process.send_signal(signal.SIGCONT)
    assert "the event loop stalled for" in await_ready(fragile, 503).json()["reason"]
    with fragile.client() as client:
        assert client.get("/health").status_code == 200
        assert client.post("/predict", json=example).status_code == 200
    await_ready(fragile, 200)


def test_health_check_of_nothing(model_directory: Path) -> None:
    """The container's health check fails while nobody listens, and says so."""
    environment = {**os.environ, "PORT": "9"}
    done = subprocess.run(
        [sys.executable, "-m", "api.healthcheck"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1
    assert "does not answer" in done.stderr
