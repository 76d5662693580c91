"""One JSON line for each request: whose, what, how it ended."""

import datetime
import json
import logging
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.http.journal import Handler, Journal
from api.http.selection import Selection
from tests.api.conftest import NEW_KEY
from tests.api.wire import Wire
from tests.running import Serve, Service, free_port

TRACE = "Root=1-67891233-abcdef012345678912345678;Self=1-67891234-12456789abcdef012345678"


def line_of(service: Service, response: httpx.Response) -> dict[str, Any]:
    """The log line of an answered request."""
    lines = [line for line in service.lines_until_now() if line.get("request_id") == response.headers["x-request-id"]]
    assert len(lines) == 1
    return lines[0]


def test_a_request_is_one_line(guarded: Service, example: dict[str, float]) -> None:
    """A prediction leaves time, level, request id, client, method, path, status, duration and model version."""
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(milliseconds=1)
    with guarded.client(headers={"X-API-Key": NEW_KEY, "X-Forwarded-For": "203.0.113.9"}) as client:
        line = line_of(guarded, client.post("/predict", json=example))
    assert before <= datetime.datetime.fromisoformat(line.pop("time")) <= datetime.datetime.now(datetime.UTC)
    assert 0 < line.pop("duration_ms") < 30_000
    assert re.fullmatch(r"[\w-]+", line.pop("request_id"))
    assert line == {
        "level": "INFO",
        "client": "203.0.113.9",
        "method": "POST",
        "path": "/predict",
        "status": 200,
        "model_version": "1",
    }


@pytest.mark.parametrize(
    ("headers", "identity"),
    [
        ({"X-Request-ID": "abc-123"}, "abc-123"),
        ({"X-Amzn-Trace-Id": TRACE}, TRACE),
        ({"X-Request-ID": "a" * 128}, "a" * 128),
    ],
)
def test_request_id_is_the_callers(guarded: Service, headers: dict[str, str], identity: str) -> None:
    """An id that came with the request names it in the log, in the answer and in a problem document."""
    with guarded.client() as client:
        response = client.post("/predict", json={}, headers=headers)
    assert response.headers["x-request-id"] == identity
    assert response.json()["request_id"] == identity
    assert line_of(guarded, response)["status"] == 401


@pytest.mark.parametrize("identity", ["", "a b", "a" * 129, 'x"}', "<script>", "{}"])
def test_request_id_that_is_none_is_replaced(guarded: Service, identity: str) -> None:
    """What could not be an id is not repeated: the service makes its own, another for each request."""
    with guarded.client(headers={"X-Request-ID": identity}) as client:
        first, second = (client.get("/nowhere").headers["x-request-id"] for _ in range(2))
    assert first != second
    assert identity not in (first, second)


@pytest.mark.parametrize(
    ("forwarded", "client_address"),
    [
        ([], "127.0.0.1"),
        (["203.0.113.9"], "203.0.113.9"),
        (["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        (["6.6.6.6", "203.0.113.9"], "203.0.113.9"),
        (["x" * 500], "x" * 64),
        ([""], "127.0.0.1"),
    ],
)
def test_client_is_whom_the_trusted_proxy_saw(guarded: Service, forwarded: list[str], client_address: str) -> None:
    """Of X-Forwarded-For only what the one trusted proxy has added counts; the rest is the caller's own story."""
    with guarded.client(headers=[("X-Forwarded-For", value) for value in forwarded]) as client:
        assert line_of(guarded, client.get("/nowhere"))["client"] == client_address


def test_client_comes_with_the_head(guarded: Service) -> None:
    """An address that follows a body in chunks is nobody's."""
    with Wire(guarded.url) as wire:
        wire.send(
            b"POST /nowhere HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        identity = wire.send(b"0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n").answer().headers["x-request-id"]
    line = next(line for line in guarded.lines_until_now() if line.get("request_id") == identity)
    assert line["client"] == "203.0.113.9"


def test_forwarded_addresses_are_not_believed_without_a_proxy(service: Service) -> None:
    """A service that no proxy stands in front of logs the connection's own address."""
    with service.client(headers={"X-Forwarded-For": "6.6.6.6"}) as client:
        assert line_of(service, client.get("/nowhere"))["client"] == "127.0.0.1"


def test_good_probes_are_not_logged(guarded: Service) -> None:
    """Health checks that succeed leave no line."""
    with guarded.client() as client:
        identities = {client.get(path).headers["x-request-id"] for path in ("/health", "/ready")}
    assert not identities & {line.get("request_id") for line in guarded.lines_until_now()}


def test_strange_paths_stay_on_one_line(guarded: Service) -> None:
    """Control characters, quotes and long paths cannot forge a line or flood one."""
    with Wire(guarded.url) as wire:
        wire.send(b'GET /%0a%7b"level":"ERROR"%7d%1b%5b31m%00%ff' + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = wire.answer()
    lines = [line for line in guarded.lines_until_now() if line.get("request_id") == answer.headers["x-request-id"]]
    assert len(lines) == 1
    assert lines[0]["path"].startswith('/\n{"level":"ERROR"}\x1b[31m\x00')
    assert len(lines[0]["path"]) == 256


def test_what_is_not_http_is_logged_too(guarded: Service) -> None:
    """A connection refused by its first bytes has its line like any other, and is no error."""
    with Wire(guarded.url) as wire:
        identity = wire.send(b"\x16\x03\x01\x00").answer().json()["request_id"]
    line = next(line for line in guarded.lines_until_now() if line.get("request_id") == identity)
    assert (line["level"], line["status"], line["client"]) == ("INFO", 400, "127.0.0.1")


def test_answers_carry_security_headers(guarded: Service, example: dict[str, float]) -> None:
    """Predictions, refusals and probes forbid sniffing and caching; no CORS header is sent unasked."""
    with guarded.client(headers={"Origin": "https://elsewhere.example"}) as client:
        responses = [
            client.post("/predict", json=example, headers={"X-API-Key": NEW_KEY}),
            client.post("/predict", json=example),
            client.get("/health"),
            client.get("/nowhere"),
            client.get("/predict"),
        ]
    assert [response.status_code for response in responses] == [200, 401, 200, 404, 405]
    for response in responses:
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
        assert "server" not in response.headers
        assert not [name for name in response.headers if name.startswith("access-control")]


def test_any_text_can_be_logged() -> None:
    """A message with half a surrogate pair, as a file's name may hold, is still one line of JSON."""
    written: list[bytes] = []
    record = logging.makeLogRecord({"msg": "%s\n", "args": ("\udcff",), "levelname": "WARNING"})
    Handler(Journal(written.append, "json")).emit(record)
    assert json.loads(written[0])["message"] == "\\udcff\n"


SLOW = "from api.http import selection; selection.SLOW_SECONDS = 0.0"
START = "import sys; {}; from api.__main__ import main; sys.exit(main())"


def test_only_the_remarkable_requests_are_lines(serve: Serve, model_directory: Path, example: dict[str, float]) -> None:
    """With LOG_REQUESTS=errors refusals and every hundredth of the others have a line, and the rest is counted."""
    metrics = free_port()
    service = serve(MODEL_PATH=str(model_directory), LOG_REQUESTS="errors", METRICS_PORT=str(metrics))
    with service.client() as client:
        for _ in range(250):
            client.post("/predict", json=example).raise_for_status()
        assert client.post("/predict", json={}).status_code == 422
        lines = [line for line in service.lines_until_now() if "status" in line]
        assert [line["status"] for line in lines] == [200, 200, 422, 404]
        text = httpx.get(f"http://127.0.0.1:{metrics}/metrics").text
        assert "log_lines_left_out_total 248.0" in text
        # Every request is counted, whether it has a line or not.
        assert 'http_requests_total{method="POST",path="/predict",status="200"} 250.0' in text


def test_slow_requests_are_lines(serve: Serve, model_directory: Path, example: dict[str, float]) -> None:
    """What took longer than half a second has a line; here the bound is none at all."""
    service = serve(arguments=("-c", START.format(SLOW)), MODEL_PATH=str(model_directory), LOG_REQUESTS="errors")
    with service.client() as client:
        client.post("/predict", json=example).raise_for_status()
        assert [line["status"] for line in service.lines_until_now() if "status" in line] == [200, 404]


@pytest.mark.parametrize(
    ("everything", "status", "seconds", "taken"),
    [(True, 200, 0.001, True), (False, 200, 0.001, False), (False, 200, 0.501, True), (False, 404, 0.0, True)],
)
def test_which_requests_are_remarkable(*, everything: bool, status: int, seconds: float, taken: bool) -> None:
    """Refused and slow ones are; and of the others the hundredth, not the first."""
    selection = Selection(everything=everything)
    assert [selection.takes(status, seconds) for _ in range(99)] == [taken] * 99
    assert selection.takes(status, seconds)
