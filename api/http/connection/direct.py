"""A request that is answered straight from the protocol, where uvicorn would make a scope, a cycle and a task of it."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from api.http.messages import CLOSE, SECURITY_HEADERS, Header, Reply


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

    def end(self, reply: Reply, request_id: str, *, closing: bool) -> None:
        """Write the answer as a cycle's `send` would, in one piece; whoever went away gets none."""
        if self.disconnected:
            return
        self.response_started = self.response_complete = True
        if closing:
            self.keep_alive = False
        self.transport.write(
            b"%b%bcontent-type: %b\r\ncontent-length: %d\r\n%b%bx-request-id: %b\r\n%b\r\n%b"
            % (
                STATUS_LINE[reply.status],
                _lines(tuple(self.default_headers)),
                reply.content_type,
                len(reply.body),
                _lines(reply.headers),
                _lines(SECURITY_HEADERS),
                request_id.encode(),
                b"" if self.keep_alive else _lines((CLOSE,)),
                reply.body,
            )
        )
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


@functools.lru_cache(maxsize=64)
def _lines(headers: tuple[Header, ...]) -> bytes:
    """Of the same few headers again and again."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])
