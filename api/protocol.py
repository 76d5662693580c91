"""HTTP/1.1 as uvicorn speaks it, with bounds on how large a request's head is and how slowly it may arrive."""

import asyncio
from typing import Any, cast

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.problems import PROBLEM_JSON, ProblemError

MAX_HEAD_BYTES = 32 * 1024
"""Request line and headers; twice what a load balancer lets through."""

REQUEST_SECONDS = 20.0
"""From a request's first byte to its last; also how long a new connection may stay silent."""

HEAD_TOO_LARGE = ProblemError(431, f"The request line and headers are larger than {MAX_HEAD_BYTES} bytes.")


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A request that breaks a bound is refused with a problem document and the connection closed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deadline: asyncio.TimerHandle | None = None
        self.head_bytes = 0
        self.unparsed_bytes = 0
        self.reading_head = False
        self.reading = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock for the first request."""
        super().connection_made(cast("asyncio.Transport", transport))
        self.deadline = self.loop.call_later(REQUEST_SECONDS, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived; whatever stays incomplete runs against the clock."""
        super().data_received(data)
        if self.reading:
            if self.reading_head:
                # A header without an end never reaches on_header.
                self.unparsed_bytes += len(data)
                if self.unparsed_bytes > MAX_HEAD_BYTES:
                    self._refuse(HEAD_TOO_LARGE)
            if self.deadline is None and not self.transport.is_closing():
                self.deadline = self.loop.call_later(REQUEST_SECONDS, self._too_slow)
        elif self.deadline is not None:
            self._stop_clock()

    def on_message_begin(self) -> None:
        """Uvicorn's parser callback: a request starts."""
        self.reading = self.reading_head = True
        self.head_bytes = self.unparsed_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Uvicorn's parser callback: a header is complete."""
        self._count_head(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Uvicorn's parser callback: the head is complete."""
        self._count_head(len(self.url))
        self.reading_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Uvicorn's parser callback: a request has arrived whole."""
        self.reading = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (uvicorn's signature)
        """Refuse what is not HTTP, in uvicorn's place."""
        self._refuse(ProblemError(400, "This is not an HTTP/1.1 request."))

    def _count_head(self, size: int) -> None:
        self.head_bytes += size
        if self.head_bytes > MAX_HEAD_BYTES:
            self._refuse(HEAD_TOO_LARGE)
            # Ends the parser's work on what has arrived with it.
            raise HEAD_TOO_LARGE

    def _stop_clock(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    def _too_slow(self) -> None:
        self.deadline = None
        self._refuse(ProblemError(408, f"The request did not arrive within {REQUEST_SECONDS:g} seconds."))

    def _refuse(self, problem: ProblemError) -> None:
        if self.transport.is_closing():
            return
        body = msgspec.json.encode(problem.document(""))
        head = b"content-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (PROBLEM_JSON, len(body))
        self.transport.write(STATUS_LINE[problem.status] + head + body)
        self.transport.close()
