"""What no HTTP client sends: each is answered as it should be, and the next good request as if nothing had happened."""

import contextlib
import json
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.api.wire import Answer, Wire, request
from tests.california import EXAMPLE
from tests.running import Service

BODY = json.dumps(EXAMPLE).encode()
GOOD = request(BODY)
TELLING = (b"Traceback", b"python", b"uvicorn", b"litestar", b"msgspec", b"numpy", b"httptools", b"xgboost")


def head(*lines: str) -> bytes:
    """A request without a body, line by line."""
    return "\r\n".join([*lines, "", ""]).encode()


def get(path: str, *headers: str, method: str = "GET") -> bytes:
    """A request without a body."""
    return head(f"{method} {path} HTTP/1.1", "Host: localhost", *headers)


def chunked(*chunks: bytes, path: str = "/predict", trailers: bytes = b"") -> bytes:
    """A request with a body of unknown length, and what follows it."""
    start = head(f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", "Transfer-Encoding: chunked")
    return start + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n%b\r\n" % trailers


def with_income(literal: bytes) -> bytes:
    """A request whose first number is written like this."""
    return request(BODY.replace(b"8.3252", literal))


def is_good(answer: Answer) -> bool:
    """It is a prediction."""
    return answer.status == 200 and answer.json()["unit"] == "100,000 USD"


@pytest.fixture(autouse=True)
def _next_good_request(service: Service) -> Iterator[None]:
    yield
    with Wire(service.url) as wire:
        assert is_good(wire.send(GOOD).answer())


ANSWERED = {
    "a path with a trailing slash": (404, request(BODY, path="/predict/")),
    "a path with two slashes": (404, request(BODY, path="//predict")),
    "a path that climbs": (404, get("/../../etc/passwd")),
    "a path that climbs in disguise": (404, get("/%2e%2e/%2e%2e/etc/passwd")),
    "a path with control characters": (404, get("/%00%0a%1b[31m")),
    "a path that is not UTF-8": (404, get("/%ff%fe")),
    "a path written in percent signs": (200, request(BODY, path="/%70redict")),
    "a URL in absolute form": (200, request(BODY, path="http://elsewhere.example/predict")),
    "a query that nobody asked for": (200, request(BODY, path="/predict?a=b&a=c")),
    "GET of a prediction": (405, get("/predict")),
    "PUT": (405, request(BODY, method="PUT")),
    "TRACE": (405, get("/health", method="TRACE")),
    "POST to a probe": (405, request(b"", path="/health")),
    "OPTIONS": (204, get("/predict", method="OPTIONS")),
    "HTTP/1.0": (200, GOOD.replace(b"HTTP/1.1", b"HTTP/1.0")),
    "HTTP/1.0 without a host": (200, head("GET /health HTTP/1.0")),
    "a websocket": (200, get("/health", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")),
    "an upgrade to HTTP/2": (200, request(BODY, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c")),
    "an upgrade, shouted": (200, get("/health", "CONNECTION: UPGRADE", "UPGRADE: WEBSOCKET")),
    "an upgrade and a close": (200, get("/health", "Connection: close, Upgrade", "Upgrade: websocket")),
    "an upgrade of HTTP/1.0": (200, head("GET /health HTTP/1.0", "Connection: Upgrade", "Upgrade: websocket")),
    "an upgrade to nothing": (200, get("/health", "Connection: Upgrade", "Upgrade:")),
    "chunks": (200, chunked(BODY)),
    "one byte a chunk": (200, chunked(*(BODY[i : i + 1] for i in range(len(BODY))))),
    "a text": (415, request(BODY, content_type="text/plain")),
    "a form": (415, request(b"MedInc=1", content_type="application/x-www-form-urlencoded")),
    "another charset": (415, request(BODY, content_type="application/json; charset=latin-1")),
    "the charset spelt out": (200, request(BODY, content_type='application/json; charset="UTF-8"')),
    "a parameter of the type": (200, request(BODY, content_type="application/json; version=1")),
    "a compressed body": (415, request(b"\x1f\x8b\x08", "Content-Encoding: gzip")),
    "an empty body": (400, request(b"")),
    "white space": (400, request(b" \n\t ")),
    "half of the JSON": (400, request(BODY[: len(BODY) // 2])),
    "JSON and a NUL": (400, request(BODY + b"\0")),
    "two documents": (400, request(BODY + BODY)),
    "a byte order mark": (400, request(b"\xef\xbb\xbf" + BODY)),
    "UTF-16": (400, request(BODY.decode().encode("utf-16"))),
    "bytes that are not UTF-8": (400, request(b'{"MedInc":"\xff\xfe"}')),
    "a key that is not UTF-8": (400, request(b'{"\xff":1}')),
    "half a surrogate pair": (400, request(b'{"MedInc":"\\ud800"}')),
    "NaN": (400, with_income(b"NaN")),
    "infinity": (400, with_income(b"-Infinity")),
    "hexadecimal": (400, with_income(b"0x10")),
    "a comment": (400, with_income(b"8 /* high */")),
    "brackets without end": (400, request(b"[" * 60_000)),
    "objects without end": (400, request(b'{"MedInc":' * 5_000)),
    "a deeply nested field": (400, request(b'{"Ocean":' + b"[" * 20_000 + b"]" * 20_000 + b"}")),
    "null": (422, request(b"null")),
    "a list": (422, request(b"[]")),
    "a number": (422, request(b"8")),
    "a number beyond floats": (422, with_income(b"1e400")),
    "a number of 5,000 digits": (422, with_income(b"8" * 5_000)),
    "5,000 decimal places": (200, with_income(b"8." + b"3" * 5_000)),
    "a huge exponent": (422, with_income(b"1e99999999999999999999")),
    "a vanishing number": (200, with_income(b"1e-400")),
    "minus zero": (200, with_income(b"-0.0")),
    "a whole number": (200, with_income(b"8")),
    "rows that are not a list": (422, request(b'{"rows":{}}', path="/predict/batch")),
    "rows that are lists": (422, request(b'{"rows":[[1,2]]}', path="/predict/batch")),
    "a body that says it is 2 GB": (413, request(b"").replace(b"Length: 0", b"Length: 2147483648")),
    "a body over the limit": (413, request(b" " * 100_000 + BODY)),
    "chunks over the limit": (413, chunked(*[b" " * 10_000] * 10)),
    "100-continue for a body over the limit": (413, request(b"", "Expect: 100-continue").replace(b": 0", b": 999999")),
    "a length with 8,000 zeros": (200, GOOD.replace(b"Length: ", b"Length: " + b"0" * 8_000)),
    "a length of zeros": (400, request(b"").replace(b"Length: 0", b"Length: 000")),
    "two content types": (415, request(BODY, "Content-Type: text/plain")),
    "two encodings": (415, request(BODY, "Content-Encoding: identity", "Content-Encoding: br")),
    "a content type of 20 kB": (415, request(BODY, content_type="a" * 20_000)),
    "a trailer": (200, chunked(BODY, trailers=b"Checksum: abc\r\n")),
    "a type and an encoding that trail": (
        200,
        chunked(BODY, trailers=b"Content-Type: a/b\r\nContent-Encoding: br\r\n"),
    ),
    "a second host that trails": (200, chunked(BODY, trailers=b"Host: other\r\n")),
    "a chunk extension": (200, chunked(BODY).replace(b"\r\n{", b";a=b\r\n{", 1)),
    "empty lines first": (200, b"\r\n" * 1_000 + GOOD),
    "100 headers": (200, get("/health", *["a: b"] * 99)),
    "a body where none belongs": (200, get("/health", "Content-Length: 2") + b"{}"),
    "an expectation that nobody knows": (200, request(BODY, "Expect: 200-ok")),
    "a bad host": (400, GOOD.replace(b"localhost", b"a b<>", 1).replace(b"/predict", b"/model", 1)),
}
"""Requests whose connection is still good afterwards."""


@pytest.mark.parametrize("case", ANSWERED)
def test_answers(service: Service, case: str) -> None:
    """A strange request gets its status, a refusal a problem document; neither tells what the service is made of."""
    status, data = ANSWERED[case]
    with Wire(service.url) as wire:
        answer = wire.send(data).answer()
    assert answer.status == status, answer.body
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "server" not in answer.headers
    assert not any(word in answer.body.lower() for word in TELLING)


REFUSED = {
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "another protocol": (400, b"SSH-2.0-OpenSSH_9.6\r\n"),
    "CONNECT": (400, get("elsewhere.example:443", method="CONNECT")),
    "CONNECT to a path": (400, get("/health", method="CONNECT")),
    "a path with raw bytes": (400, b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a header with a NUL": (400, get("/health", "A: b\0c")),
    "a space before the colon": (400, get("/health", "A : b")),
    "a folded header": (400, get("/health", "A: b", " c")),
    "a method that there is not": (400, get("/health", method="BREW")),
    "a method in small letters": (400, get("/health", method="get")),
    "no path": (400, get("")),
    "a URL without a path": (400, get("http://elsewhere.example")),
    "a length with a sign": (400, request(b"").replace(b"Length: 0", b"Length: +1")),
    "a length in hexadecimal": (400, request(b"").replace(b"Length: 0", b"Length: 0x1")),
    "a list of lengths": (400, request(b"").replace(b"Length: 0", b"Length: 1, 1")),
    "chunks in chunks": (400, get("/predict", "Transfer-Encoding: chunked, chunked", method="POST")),
    "no host": (400, head("GET /health HTTP/1.1")),
    "two hosts": (400, get("/health", "Host: other")),
    "a negative length": (400, request(b"").replace(b"Length: 0", b"Length: -1")),
    "a length of 26 digits": (400, request(b"").replace(b"Length: 0", b"Length: " + b"9" * 26)),
    "two lengths": (400, request(BODY, "Content-Length: 3")),
    "a length and chunks": (400, request(b"0\r\n\r\n", "Transfer-Encoding: chunked")),
    "a coding besides chunks": (400, chunked(BODY).replace(b"chunked", b"gzip, chunked")),
    "chunks, identically": (400, chunked(BODY).replace(b"chunked", b"identity, chunked")),
    "two codings": (400, chunked(BODY).replace(b"Transfer-Encoding", b"Transfer-Encoding: gzip\r\nTransfer-Encoding")),
    "HTTP/0.9": (400, b"GET /health\r\n\r\n"),
    "two hosts in HTTP/1.0": (400, get("/health", "Host: other").replace(b"HTTP/1.1", b"HTTP/1.0")),
    "101 headers": (431, get("/health", *["a: b"] * 100)),
    "an unknown transfer encoding": (400, get("/predict", "Transfer-Encoding: gzip", method="POST")),
    "a chunk without a length": (400, chunked().replace(b"0\r\n\r\n", b"zz\r\n")),
    "a chunk beyond all numbers": (400, chunked().replace(b"0\r\n\r\n", b"f" * 20 + b"\r\n")),
    "a header of 100 kB": (431, get("/health", "A: " + "b" * 100_000)),
    "a header without end": (431, b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 400_000),
    "20,000 trailers": (431, chunked(BODY, trailers=b"a: b\r\n" * 20_000)[:-2] + b"a: b\r\n" * 100_000),
    "a trailer without end": (431, chunked(BODY)[:-2] + b"a: " + b"b" * 400_000),
    "20,000 headers": (431, get("/health", *["a: b"] * 20_000)),
    "a path of 100 kB": (431, get("/" + "a" * 100_000)),
}
"""Bytes after which nothing on the connection can be understood."""


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(service: Service, case: str) -> None:
    """What is not HTTP/1.1, or too much of it, is refused with a problem document, and the connection closed."""
    status, data = REFUSED[case]
    with Wire(service.url) as wire:
        answer = wire.send(data).answer()
        assert wire.is_closed()
    assert answer.status == status
    assert answer.headers["connection"] == "close"
    assert answer.json()["status"] == status
    assert answer.json()["request_id"]
    assert not any(word in answer.body.lower() for word in TELLING)


@pytest.mark.parametrize("wish", [(), ("Connection: Upgrade", "Upgrade: websocket")], ids=["", "upgrade"])
@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (["Host: other"], "exactly one Host"),
        (["Transfer-Encoding: gzip"], "only Transfer-Encoding"),
        (["a: b"] * 100, "or more than 100"),
    ],
)
def test_a_head_is_told_what_is_wrong_with_it(
    service: Service, headers: list[str], reason: str, wish: tuple[str, ...]
) -> None:
    """In words of this service, also where the head is read a second time, without its wish for another protocol."""
    with Wire(service.url) as wire:
        assert reason in wire.send(get("/predict", *wish, *headers, method="POST")).answer().json()["detail"]


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        (b"", "empty"),
        (b"[" * 60_000, "nested too deeply"),
        (b"\xff", "not UTF-8"),
        (b"\xef\xbb\xbf" + BODY, "byte order mark"),
        (BODY.replace(b"8.3252", b"NaN"), "send finite numbers"),
        (BODY.replace(b"8.3252", b"-Infinity"), "send finite numbers"),
        (b'{"MedInc":"\\ud800"}', "surrogate pair"),
    ],
)
def test_a_body_that_is_not_json_is_told_why(service: Service, body: bytes, advice: str) -> None:
    """A refusal of what is almost JSON says what is wrong with it, in words of this service."""
    with Wire(service.url) as wire:
        assert advice in wire.send(request(body)).answer().json()["detail"]


def test_connection_survives_refusals(service: Service) -> None:
    """Refused requests, unread bodies included, leave the connection good for the next one."""
    with Wire(service.url) as wire:
        for data in (request(b"{"), get("/nowhere"), request(b" " * 900_000), request(BODY, path="/nowhere")):
            assert wire.send(data).answer().status >= 400
            assert is_good(wire.send(GOOD).answer())


def test_pipelined_requests_are_answered_in_order(service: Service) -> None:
    """Requests sent without waiting are answered in their order."""
    with Wire(service.url) as wire:
        wire.send(GOOD + get("/nowhere") + request(b"{") + get("/health") + GOOD)
        assert [wire.answer().status for _ in range(5)] == [200, 404, 400, 200, 200]


def test_requests_before_garbage_are_answered(service: Service) -> None:
    """What was accepted before the connection went bad is answered before it is closed."""
    with Wire(service.url) as wire:
        wire.send(GOOD + GOOD + b"\x00garbage\r\n\r\n")
        assert is_good(wire.answer())
        assert is_good(wire.answer())
        assert wire.is_closed()


UPGRADE = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQ", "UPGRADE: websocket")


@pytest.mark.parametrize("kind", ["counted", "in chunks"])
def test_where_a_request_is_cut_does_not_matter(service: Service, kind: str) -> None:
    """A request that asks for another protocol is answered in this one, body and all, however it arrives."""
    data = request(BODY, *UPGRADE)
    if kind == "in chunks":
        data = chunked(BODY[:50], BODY[50:]).replace(b"\r\n\r\n", "\r\n".join(["", *UPGRADE, "", ""]).encode(), 1)
    with Wire(service.url) as wire, Wire(service.url) as other:
        for place in range(len(data)):
            wire.send(data[:place])
            # Its answer comes after the first part has been read.
            other.send(get("/health")).answer()
            assert is_good(wire.send(data[place:]).answer()), data[:place]


def test_many_upgrades_at_once_are_declined(service: Service) -> None:
    """Requests that all ask for another protocol, sent without waiting, are answered in their order."""
    with Wire(service.url) as wire:
        wire.send((request(BODY, *UPGRADE) + get("/nowhere", *UPGRADE)) * 16)
        assert [wire.answer().status for _ in range(32)] == [200, 404] * 16
        assert is_good(wire.send(GOOD).answer())


def test_a_body_may_hold_anything(service: Service) -> None:
    """A body with a line that looks like a header arrives as it was sent."""
    names, values = ",".join(EXAMPLE), ",".join(map(str, list(EXAMPLE.values())[1:]))
    body = f'{names}\n"\nUpgrade: h2c",{values}\n'.encode()
    with Wire(service.url) as wire:
        answer = wire.send(request(body, path="/invocations", content_type="text/csv")).answer()
    assert answer.status == 400
    assert "'\\nUpgrade: h2c'" in answer.json()["message"]


def test_half_closed_connection_is_answered(service: Service) -> None:
    """A client that has nothing more to send still gets its answer."""
    with Wire(service.url) as wire:
        wire.send(GOOD)
        wire.socket.shutdown(socket.SHUT_WR)
        assert is_good(wire.answer())
        assert wire.is_closed()


def test_continue_is_said_only_when_the_body_is_wanted(service: Service) -> None:
    """A client that asks first is told to go on, and then answered."""
    with Wire(service.url) as wire:
        asking = request(BODY, "Expect: 100-continue")
        assert wire.send(asking[: -len(BODY)]).answer().status == 100
        assert is_good(wire.send(BODY).answer())


@pytest.mark.parametrize(
    ("status", "asking"),
    [
        (413, request(b"", "Expect: 100-continue").replace(b": 0", b": 999999")),
        (404, request(b"", "Expect: 100-continue", path="/nowhere").replace(b": 0", b": 9")),
        (415, request(b"", "Expect: 100-continue", content_type="text/plain").replace(b": 0", b": 9")),
    ],
)
def test_a_body_that_was_not_wanted_ends_the_connection(service: Service, status: int, asking: bytes) -> None:
    """Whoever asked first and is refused may send the body or not: what came next would be taken for it."""
    with Wire(service.url) as wire:
        answer = wire.send(asking).answer()
        assert (answer.status, answer.headers["connection"]) == (status, "close")
        assert wire.is_closed()


def test_asking_first_costs_no_connection(service: Service) -> None:
    """A client that asked first and sent its body, at once or when it was told to, or that has none, goes on."""
    with Wire(service.url) as wire:
        asking = request(BODY, "Expect: 100-continue")
        wire.send(asking[: -len(BODY)]).answer()
        assert is_good(wire.send(BODY).answer())
        assert wire.send(asking).answer().status == 100
        assert is_good(wire.answer())
        assert wire.send(get("/health", "Expect: 100-continue")).answer().status == 200
        assert is_good(wire.send(GOOD).answer())


def test_http_1_0_is_not_told_to_continue(service: Service) -> None:
    """HTTP/1.0 knows one answer to a request; what it expects is ignored."""
    with Wire(service.url) as wire:
        assert is_good(wire.send(request(BODY, "Expect: 100-continue").replace(b"HTTP/1.1", b"HTTP/1.0")).answer())


def test_close_is_the_last_word(service: Service) -> None:
    """What follows a request that said it was the last one is not answered."""
    with Wire(service.url) as wire:
        wire.send(request(BODY, "Connection: close") + GOOD)
        assert is_good(wire.answer())
        assert wire.is_closed()


def test_requests_that_do_not_wait_are_bounded(service: Service) -> None:
    """Of thousands of requests sent at once the first are answered; memory and other clients do not feel the rest."""
    before = resident_megabytes(service)
    many = get("/nowhere") * 5_000
    with ExitStack() as stack:
        for _ in range(20):
            crowd = stack.enter_context(Wire(service.url))
            crowd.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                crowd.socket.sendall(many)
        with Wire(service.url) as wire:
            assert is_good(wire.send(GOOD).answer())
        assert resident_megabytes(service) - before < 20
    with Wire(service.url) as wire:
        wire.send(get("/nowhere") * 40)
        assert [wire.answer().status for _ in range(33)] == [404] * 33
        assert wire.is_closed()


def test_head_is_get_without_the_body(service: Service) -> None:
    """HEAD answers with the headers of GET and nothing after them."""
    with Wire(service.url) as wire:
        answer = wire.send(get("/health", method="HEAD")).answer(head_only=True)
        assert answer.status == 200
        assert int(answer.headers["content-length"]) > 0
        assert wire.send(get("/predict", method="HEAD")).answer(head_only=True).status == 405
        assert is_good(wire.send(GOOD).answer())


def test_says_which_methods_a_path_has(service: Service) -> None:
    """405 and OPTIONS name the methods that there are."""
    with Wire(service.url) as wire:
        assert "POST" in wire.send(get("/predict")).answer().headers["allow"]
        for method in ("OPTIONS", "PUT"):
            allowed = wire.send(get("/health", method=method)).answer().headers["allow"]
            assert set(allowed.split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_a_client_that_leaves_is_no_error(service: Service) -> None:
    """A client that leaves in the middle of a body, or before its answer, leaves nothing behind in the error log."""
    before = len(service.lines_until_now())
    batch = json.dumps({"rows": [EXAMPLE] * 5_000}).encode()
    for data in (request(batch, path="/predict/batch"), request(batch, path="/predict/batch")[:50_000], GOOD[:-9]):
        with Wire(service.url) as wire:
            wire.send(data)
    with Wire(service.url) as wire:
        assert is_good(wire.send(GOOD).answer())
    assert not [line for line in service.lines_until_now()[before:] if line["level"] in ("ERROR", "CRITICAL")]


def test_errors_of_a_hopeless_batch_are_bounded(service: Service) -> None:
    """Ten thousand wrong rows are answered with the first faults, not with all."""
    body = json.dumps({"rows": [{"x" * 50: "y" * 50}] * 10_000}).encode()
    with Wire(service.url) as wire:
        answer = wire.send(request(body, path="/predict/batch")).answer()
    assert answer.status == 422
    assert len(answer.json()["errors"]) == 50
    assert len(answer.body) < 20_000


def resident_megabytes(service: Service) -> int:
    """Memory that the service takes."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


def test_memory_stays_flat_under_hostile_bodies(service: Service) -> None:
    """Bodies made to explode when decoded take little more memory than their size."""
    before = resident_megabytes(service)
    with Wire(service.url) as wire:
        for item in (b"[]", b"{}", b'"ab"', b"1e1", b'{"a":0}'):
            body = b'{"rows":[' + b",".join([item] * (6 * 2**20 // (len(item) + 1))) + b"]}"
            assert wire.send(request(body, path="/predict/batch")).answer().status == 422
    assert resident_megabytes(service) - before < 150


def test_a_thousand_idle_connections(service: Service) -> None:
    """A thousand connections that say nothing cost little memory and hold nobody up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    before = resident_megabytes(service)
    idle = [Wire(service.url) for _ in range(1000)]
    try:
        with Wire(service.url) as wire:
            assert is_good(wire.send(GOOD).answer())
        assert is_good(idle[500].send(GOOD).answer())
        assert resident_megabytes(service) - before < 50
    finally:
        for wire in idle:
            wire.__exit__(None, None, None)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_an_empty_line_is_no_request(hasty: Service) -> None:
    """A connection on which nothing but empty lines has come is idle, and closed as such."""
    with Wire(hasty.url) as wire:
        assert wire.send(b"\r\n").is_closed()


PREDICTION = request(json.dumps(EXAMPLE).encode(), "X-Request-Id: the-same")


@pytest.mark.parametrize("cut", [1, PREDICTION.index(b"\r\n\r\n") + 4, PREDICTION.index(b"{") + 9, len(PREDICTION) - 1])
def test_answer_does_not_depend_on_how_a_request_arrives(service: Service, cut: int) -> None:
    """Whole, in two parts, or three at once: the same answer each time, down to its headers, on one connection."""
    with Wire(service.url) as wire:
        whole = wire.send(PREDICTION).answer()
        wire.send(PREDICTION[:cut])
        time.sleep(0.05)
        in_parts = wire.send(PREDICTION[cut:]).answer()
        wire.send(PREDICTION * 3)
        together = [wire.answer() for _ in range(3)]
    for answer in (whole, in_parts, *together):
        assert answer.headers.pop("date")
        assert answer == whole
    assert whole.status == 200


@pytest.mark.parametrize(("body", "status"), [(json.dumps(EXAMPLE).encode(), 200), (b"{}", 422)])
def test_last_request_is_answered_and_nothing_after_it(service: Service, body: bytes, status: int) -> None:
    """After the answer to a request that asks for it the connection is closed, whatever else was sent on it."""
    with Wire(service.url) as wire:
        answer = wire.send(request(body, "Connection: close") + PREDICTION).answer()
        assert wire.is_closed()
    assert (answer.status, answer.headers["connection"]) == (status, "close")


def test_slow_head_is_given_up(hasty: Service) -> None:
    """A request whose head does not end in time is refused with 408."""
    with Wire(hasty.url) as wire:
        answer = wire.send(b"GET /health HTTP/1.1\r\nHost:").answer()
        assert wire.is_closed()
    assert answer.status == 408
    assert answer.headers["content-type"] == "application/problem+json"


def test_slow_body_is_given_up(hasty: Service) -> None:
    """A request whose body does not end in time is refused with 408, however it trickles."""
    with Wire(hasty.url) as wire:
        wire.send(request(BODY)[:-10])
        wire.send(BODY[-10:-5])
        assert wire.answer().status == 408
        assert wire.is_closed()


def test_slow_body_behind_another_request_is_given_up(hasty: Service) -> None:
    """A pipelined request that never ends is refused after those before it have been answered."""
    batch = request(json.dumps({"rows": [EXAMPLE] * 1_000}).encode(), path="/predict/batch")
    with Wire(hasty.url) as wire:
        wire.send(batch + GOOD[:-10])
        assert wire.answer().status == 200
        assert wire.answer().status == 408
        assert wire.is_closed()


def test_refused_body_without_end_is_cut(hasty: Service) -> None:
    """A body that was refused is read on for a while, for the client's sake, and then no more."""
    with Wire(hasty.url) as wire:
        wire.send(request(b"").replace(b"Length: 0", b"Length: 2147483648"))
        assert wire.answer().status == 413
        assert wire.is_closed()


def test_silent_connection_is_closed_without_a_word(hasty: Service) -> None:
    """A connection on which nothing was ever asked ends as an idle one: silently."""
    with Wire(hasty.url) as wire:
        assert wire.is_closed()


def test_slow_bodies_together_are_bounded(hasty: Service) -> None:
    """When unfinished bodies fill their share of memory, the next is refused with 503, and whole ones still served."""
    body = b" " * 600_000
    start = request(body, path="/predict/batch").replace(b"Length: 600000", b"Length: 700000")
    with Wire(hasty.url) as one, Wire(hasty.url) as other, Wire(hasty.url) as third:
        one.send(start)
        other.send(start)
        statuses = {one.answer().status, other.answer().status}
        assert statuses == {503, 408}
        assert is_good(third.send(GOOD).answer())


def send_without_end(wire: Wire, data: bytes) -> None:
    """Send the same again and again."""
    while True:
        wire.send(data)


def test_client_that_takes_no_answer_is_dropped(hasty: Service) -> None:
    """Answers that nobody reads are thrown away with their connection."""
    batch = request(json.dumps({"rows": [EXAMPLE] * 10_000}).encode(), path="/predict/batch")
    with Wire(hasty.url, receive_buffer=4096) as wire, pytest.raises(ConnectionError):
        send_without_end(wire, batch)
