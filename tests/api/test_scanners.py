"""What scanners ask for within minutes of a service going public."""

from pathlib import Path

import pytest

from tests.api.wire import Wire
from tests.running import Service

PATHS = Path(__file__).with_name("scanner_paths.txt").read_text().splitlines()


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_scanner_paths_are_not_found(service: Service, method: str) -> None:
    """Each of several hundred known paths is 404 with the same problem document, whatever follows on the connection."""
    before = len(service.lines_until_now())
    with Wire(service.url) as wire:
        for path in PATHS:
            body = "Content-Length: 2\r\n\r\n{}" if method == "POST" else "\r\n"
            wire.send(f"{method} {path} HTTP/1.1\r\nHost: x\r\n{body}".encode())
            answer = wire.answer(head_only=method == "HEAD")
            assert answer.status == 404, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert method == "HEAD" or set(answer.json()) == {"type", "title", "status", "detail", "request_id"}
    *lines, _ = service.lines_until_now()[before:]
    assert len(lines) == len(PATHS)
    assert {line["level"] for line in lines} == {"INFO"}


def test_there_are_a_few_hundred() -> None:
    """The list is one."""
    assert len(set(PATHS)) == len(PATHS) > 300
