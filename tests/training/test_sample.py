"""`sample` asks this service, and no other that answers at the address."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer
from threading import Thread
from typing import ClassVar

import pandas as pd
import pytest
import xgboost

from tests.california import FEATURES, TABLE, TARGET
from tests.running import Service, free_port
from training import sample
from training.errors import TrainingError
from training.rows.splitting import split

READY = {"status": "ready", "model_name": "california-housing", "model_version": "1"}


def response(status: str, body: str) -> bytes:
    """A whole HTTP response."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


@contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """The address of another server, which gives these answers in turn and then the last one for ever."""

    class Handler(BaseRequestHandler):
        left: ClassVar = list(answers)

        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(self.left.pop(0) if self.left[1:] else self.left[0])

    with TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_asks_for_a_held_out_row(service: Service, model_directory: Path, table: pd.DataFrame) -> None:
    """The answer is the model's for a row that it has not learned from, beside the truth."""
    row = split(table, TABLE).test.head(1)
    asked = sample.ask(service.url, TABLE)
    booster = xgboost.Booster(model_file=model_directory / "model.ubj")
    assert asked.predicted == f"{booster.predict(xgboost.DMatrix(row[list(FEATURES)]))[0]:.3f}"
    assert asked.true == f"{row[TARGET].iloc[0]:.3f}"
    assert asked.features == row[list(FEATURES)].iloc[0].to_dict()
    assert asked.model_version == "1"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            response("404 Not Found", "<h1>nothing here</h1>"),
            "Another server answers at .*, with '<h1>nothing here</h1>'",
        ),
        (response("200 OK", "{}"), "Another server answers at .*, with '{}'"),
        (response("200 OK", json.dumps({**READY, "model_name": "other"})), "serves other, not california-housing"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "does not speak HTTP"),
    ],
)
def test_another_server(answer: bytes, message: str) -> None:
    """Whatever else answers at the address is said to be something else, at once and without a traceback."""
    with answering(answer) as url, pytest.raises(TrainingError, match=message):
        sample.ask(url, TABLE)


def test_a_refusal_is_shown() -> None:
    """When the service refuses to predict, as without a key, its own words are shown."""
    answers = response("200 OK", json.dumps(READY)), response("401 Unauthorized", '{"detail":"a key is missing"}')
    with answering(*answers) as url, pytest.raises(TrainingError, match=r"refused .* 401: .*a key is missing"):
        sample.ask(url, TABLE)


def test_waits_until_it_is_ready(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """A service that is not ready yet is waited for, and what is waited for is said."""
    answers = [
        response("503 Service Unavailable", json.dumps({**READY, "reason": "busy"})),
        response("200 OK", json.dumps(READY)),
        response("200 OK", '{"median_house_value":1.5,"model_version":"1"}'),
    ]
    with caplog.at_level(logging.INFO), answering(*answers) as url:
        assert sample.ask(url, TABLE).predicted == "1.500"
    assert caplog.messages.count(f"Waiting up to 60 s for the service at {url}") == 1


def test_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody listens for as long as one waits, the command that starts the service is named."""
    monkeypatch.setattr(sample, "PATIENCE", 0.1)
    with pytest.raises(TrainingError, match=r"is not ready \(.*refused.*\)\. Is the service running\? `make serve`"):
        sample.ask(f"http://127.0.0.1:{free_port()}", TABLE)


def test_the_service_has_ended() -> None:
    """Nobody waits for a process that is no more, though something else may answer at its address."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with answering(response("200 OK", json.dumps(READY))) as url, pytest.raises(TrainingError, match="has ended"):
        sample.ask(url, TABLE, process=ended.pid)


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host", "http://", "http://host:port", "http://:::8000"])
def test_no_address(url: str) -> None:
    """What is no address is said to be none."""
    with pytest.raises(TrainingError, match="is no address"):
        sample.ask(url, TABLE)
