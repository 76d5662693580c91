"""HTTP messages at the ASGI level: what a request's headers say, reading a body, sending a reply."""

from typing import NamedTuple

from litestar.types import HTTPScope, Receive, Send

from api.problems import ProblemError

Header = tuple[bytes, bytes]

JSON = b"application/json"


class Reply(NamedTuple):
    """A whole response; the front adds the headers that every response has."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[Header, ...] = ()


async def read_json_body(scope: HTTPScope, receive: Receive, limit: int) -> bytes:
    """Read a request body of at most `limit` bytes that says it is JSON.

    Raises:
        ProblemError: 413, 415; 400 if the client went away before the end.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > limit:
            raise _too_large(limit)
        if name == b"content-type":
            _check_content_type(value)
        elif name == b"content-encoding" and value.lower() != b"identity":
            raise ProblemError(415, f"Content-Encoding {value.decode('latin-1')!r} is not supported; send plain JSON.")
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ProblemError(400, "The request ended before its body was complete.")
        body += message["body"]
        if len(body) > limit:
            raise _too_large(limit)
        if not message["more_body"]:
            return body


def _too_large(limit: int) -> ProblemError:
    # The rest of the body is not read, so the connection cannot be used again.
    return ProblemError(413, f"The body is larger than {limit} bytes.", headers=[(b"connection", b"close")])


def _check_content_type(value: bytes) -> None:
    if value == JSON:
        return
    kind, _, parameters = value.lower().partition(b";")
    charset = parameters.strip().removeprefix(b"charset=").strip(b'"')
    if kind.strip() not in (JSON, b"application/problem+json", b""):
        raise ProblemError(415, f"Content-Type {value.decode('latin-1')!r} is not supported; send application/json.")
    if charset not in (b"", b"utf-8", b"utf8", b"us-ascii"):
        raise ProblemError(415, f"The charset {charset.decode('latin-1')!r} is not supported; JSON is UTF-8.")


async def send_reply(send: Send, reply: Reply, headers: list[Header]) -> None:
    """Send a whole response with these headers besides its own."""
    own = [(b"content-type", reply.content_type), (b"content-length", b"%d" % len(reply.body))]
    await send({"type": "http.response.start", "status": reply.status, "headers": [*own, *reply.headers, *headers]})
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})
