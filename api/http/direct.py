"""A request that is answered straight from the protocol, where uvicorn would make a scope, a cycle and a task of it."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from api.http.messages import Header, Reply


class Exchange(RequestResponseCycle):
    """Such a request and its answer, in the place of uvicorn's cycle; it has what a protocol asks of one."""

    message_event = asyncio.Event()
    """Nobody waits for it."""
    response_started = response_complete = disconnected = False

    def __init__(
        self,
        transport: asyncio.Transport,
        default_headers: list[Header],
        path: str,
        headers: list[Header],
        client: tuple[str, int] | None,
        on_response: Callable[[], None],
        *,
        keep_alive: bool,
    ) -> None:
        self.transport = transport
        self.default_headers = default_headers
        self.scope: Any = {"method": "POST", "path": path, "headers": headers, "client": client}
        self.on_response = on_response
        self.keep_alive = keep_alive
        self.whole = b""
        """The body, when it has arrived."""

    def end(self, reply: Reply, headers: list[Header]) -> None:
        """Write the answer as a cycle's `send` would, in one piece; whoever went away gets none."""
        if self.disconnected:
            return
        self.response_started = self.response_complete = True
        lines = _lines(reply.headers) + _lines(headers)
        if b"connection: close\r\n" in lines:
            self.keep_alive = False
        elif not self.keep_alive:
            lines += b"connection: close\r\n"
        first = STATUS_LINE[reply.status] + _lines(self.default_headers)
        own = b"content-type: %b\r\ncontent-length: %d\r\n" % (reply.content_type, len(reply.body))
        self.transport.write(b"".join([first, own, lines, b"\r\n", reply.body]))
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


def _lines(headers: Iterable[Header]) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])
