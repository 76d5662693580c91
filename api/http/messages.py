"""HTTP messages at the ASGI level: what a request's headers say, reading a body, sending a reply."""

from collections.abc import Iterable
from typing import NamedTuple

from litestar.types import HTTPScope, Receive, Send

from api.http.problems import ProblemError
from api.model.batching import OverloadedError

Header = tuple[bytes, bytes]

JSON = b"application/json"

SECURITY_HEADERS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)
"""Every answer has them."""

CLOSE: Header = (b"connection", b"close")

MAX_HELD_BYTES = 64 * 2**20
"""Of all bodies together that have begun and not ended: a crowd of slow senders does not fill the memory."""


class Reply(NamedTuple):
    """A whole response; the front adds the headers that every response has."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[Header, ...] = ()


class BodyReader:
    """Reads request bodies, and bounds how much memory those take that have not arrived whole."""

    def __init__(self) -> None:
        self.held_bytes = 0

    async def read_json(self, scope: HTTPScope, receive: Receive, limit: int) -> bytes:
        """Read a body as `read` does, and refuse one that does not say it is JSON.

        Raises:
            ProblemError: 415, besides what `read` raises.
        """
        _check_json(scope["headers"])
        return await self.read(scope, receive, limit)

    async def read(self, scope: HTTPScope, receive: Receive, limit: int) -> bytes:
        """Read a body of at most `limit` bytes.

        Raises:
            ProblemError: 413; 415 if it is compressed; 400 if the client went away before the end.
            OverloadedError: too many bytes of other bodies are waiting for their ends.
        """
        _check_headers(scope["headers"], limit)
        message = await receive()
        if message["type"] == "http.request" and not message["more_body"] and len(message["body"]) <= limit:
            return message["body"]
        parts: list[bytes] = []
        size = 0
        try:
            while True:
                if message["type"] != "http.request":
                    raise ProblemError(400, "The request ended before its body was complete.")
                parts.append(message["body"])
                size += len(message["body"])
                self.held_bytes += len(message["body"])
                if size > limit:
                    raise _too_large(limit)
                if not message["more_body"]:
                    return b"".join(parts)
                if self.held_bytes > MAX_HELD_BYTES:
                    raise OverloadedError
                message = await receive()
        finally:
            self.held_bytes -= size


def check_json(headers: Iterable[Header], body: bytes, limit: int) -> None:
    """Refuse a whole body as `BodyReader.read_json` does.

    Raises:
        ProblemError: 413, 415.
    """
    _check_json(headers)
    _check_headers(headers, limit)
    if len(body) > limit:
        raise _too_large(limit)


def _check_json(headers: Iterable[Header]) -> None:
    for name, value in headers:
        if name == b"content-type" and value != JSON:
            _check_content_type(value)


def _check_headers(headers: Iterable[Header], limit: int) -> None:
    for name, value in headers:
        # Leading zeros are legal, and int() takes no more than 4,300 digits.
        if name == b"content-length" and int(value.lstrip(b"0") or 0) > limit:
            raise _too_large(limit)
        if name == b"content-encoding" and value.lower() != b"identity":
            raise ProblemError(415, f"Content-Encoding {_shown(value)} is not supported; send it uncompressed.")


def _check_content_type(value: bytes) -> None:
    kind, *parameters = (part.strip() for part in value.lower().split(b";"))
    if kind != JSON:
        raise ProblemError(415, f"Content-Type {_shown(value)} is not supported; send {JSON.decode()}.")
    for parameter in parameters:
        name, _, charset = parameter.partition(b"=")
        if name.strip() == b"charset" and charset.strip(b' "') not in (b"utf-8", b"utf8", b"us-ascii"):
            raise ProblemError(415, f"The charset {_shown(charset)} is not supported; JSON is UTF-8.")


def _shown(value: bytes) -> str:
    return repr(value[:64].decode("latin-1"))


def _too_large(limit: int) -> ProblemError:
    return ProblemError(413, f"The body is larger than {limit} bytes.")


async def send_reply(send: Send, reply: Reply, headers: list[Header]) -> None:
    """Send a whole response with these headers besides its own."""
    own = [(b"content-type", reply.content_type), (b"content-length", b"%d" % len(reply.body))]
    if reply.status == 204:
        own = []
    await send({"type": "http.response.start", "status": reply.status, "headers": [*own, *reply.headers, *headers]})
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})
