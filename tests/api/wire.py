"""HTTP as bytes on a socket, for requests that no HTTP client would send."""

import json
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit


@dataclass
class Answer:
    """One response."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Wire:
    """One connection."""

    def __init__(self, url: str, receive_buffer: int = 0) -> None:
        address = urlsplit(url)
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        # What is sent in parts arrives in parts, and at once.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(30)
        self.socket.connect((address.hostname, address.port))
        self.stream = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stream.close()
        self.socket.close()

    def send(self, data: bytes) -> Self:
        """Send bytes, whatever they are."""
        self.socket.sendall(data)
        return self

    def answer(self, head_only: bool = False) -> Answer:
        """The next response; `head_only` if it is one to HEAD."""
        status = int(self.stream.readline().split(b" ")[1])
        headers = {}
        while line := self.stream.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name] = value
        body = b"" if head_only or status < 200 else self.stream.read(int(headers.get("content-length", 0)))
        return Answer(status, headers, body)

    def is_closed(self) -> bool:
        """Wait until the server ends the connection without another word."""
        try:
            return self.stream.read(1) == b""
        except ConnectionError:
            return True


def request(
    body: bytes = b"",
    *headers: str,
    method: str = "POST",
    path: str = "/predict",
    content_type: str = "application/json",
) -> bytes:
    """A whole request, its body's length included."""
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*head, "", ""]).encode() + body
