"""HTTP/1.1 as uvicorn speaks it, with bounds on how large a request's head is and how slowly it may arrive."""

import asyncio
from typing import Any, cast

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.http.front import Front
from api.http.metrics import Scrapes
from api.http.problems import PROBLEM_JSON, ProblemError

MAX_HEAD_BYTES = 32 * 1024
"""Request line and headers, and what follows a body in chunks; twice what a load balancer lets through."""

MAX_HEADERS = 100
"""Of one request: thousands of tiny ones would take 50 times the memory that they take on the wire."""

MAX_PIPELINED = 32
"""Requests that wait for the answer to one before them on their connection; each takes 2 kB, and 30 bytes to send."""

REQUEST_SECONDS = 20.0
"""From a request's first byte to its last, and for a client to take its answer."""

HEAD_TOO_LARGE = ProblemError(
    431, f"Request line and headers are larger than {MAX_HEAD_BYTES} bytes, or more than {MAX_HEADERS}."
)
TOO_MANY = ProblemError(400, f"More than {MAX_PIPELINED} requests were sent without waiting for their answers.")
NOT_HTTP = ProblemError(400, "This is not an HTTP/1.1 request.")
ONE_HOST = ProblemError(400, "An HTTP/1.1 request has exactly one Host header.")
CODED = ProblemError(400, "The only Transfer-Encoding that this service reads is chunked.")
NO_PROXY = ProblemError(400, "This service is no proxy: there is nothing to connect to.")


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A request that breaks a bound is refused with a problem document and the connection closed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deadline: asyncio.TimerHandle | None = None
        self.stuck: asyncio.TimerHandle | None = None
        self.head_bytes = 0
        self.unfinished_bytes = 0
        self.reading_head = False
        self.reading = False
        self.asked_first = False
        self.hosts = 0
        self.fault = NOT_HTTP

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection that says nothing at all is an idle one."""
        super().connection_made(cast("asyncio.Transport", transport))
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._stop_clock()
        self._stop_stuck_clock()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def eof_received(self) -> Any:  # uvicorn says None, asyncio means bool
        """A client that has sent everything still gets its answer."""
        waiting = self.cycle is not None and not self.cycle.response_complete and not self.reading
        if waiting:
            self.cycle.keep_alive = False
        return waiting

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived; whatever stays incomplete runs against the clock."""
        self._unset_keepalive_if_required()
        self.unfinished_bytes += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._refuse(self.fault)
        if self.reading:
            # A header without an end never reaches on_header.
            if self.unfinished_bytes > MAX_HEAD_BYTES:
                self._refuse(HEAD_TOO_LARGE)
            if self.deadline is None and not self.transport.is_closing():
                self.deadline = self.loop.call_later(REQUEST_SECONDS, self._too_slow)
        elif self.deadline is not None:
            self._stop_clock()

    def _parse(self, data: bytes | memoryview) -> None:
        """Feed the parser, which stops after the head of a request that asks for another protocol.

        Declined is that by parsing the same head once more without the wish, by a parser that has not heard of it. What
        follows is the request's body then, not the other protocol's.
        """
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as wish:
                data = memoryview(data)[wish.args[0] :]
                head = self._head_without_upgrade()
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
                self.parser.feed_data(head)
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        first = b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        headers = [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([first, *headers, b"", b""])

    def on_message_begin(self) -> None:
        """Uvicorn's parser callback: a request starts."""
        if len(self.pipeline) >= MAX_PIPELINED:
            self._stop_parsing(TOO_MANY)
        self.reading = self.reading_head = True
        self.head_bytes = self.unfinished_bytes = self.hosts = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Uvicorn's parser callback: a header is complete. Those that follow a body are none, and are left out."""
        if not self.reading_head:
            return
        if len(name) == 4 and name.lower() == b"host":
            self.hosts += 1
        elif len(name) == 17 and name.lower() == b"transfer-encoding" and value.lower() != b"chunked":
            self._stop_parsing(CODED)
        if len(self.headers) == MAX_HEADERS:
            self._stop_parsing(HEAD_TOO_LARGE)
        self._count_head(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Uvicorn's parser callback: the head is complete."""
        self.unfinished_bytes = 0
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self._stop_parsing(NO_PROXY)
            # It comes again, see _parse.
            return
        self._count_head(len(self.url))
        if self.hosts != 1 and (self.hosts or self.parser.get_http_version() != "1.0"):
            self._stop_parsing(ONE_HOST)
        if self.expect_100_continue:
            # HTTP/1.0 has no answers before the answer.
            self.expect_100_continue = self.parser.get_http_version() == "1.1"
        super().on_headers_complete()
        self.reading_head = False
        # Whoever asks first and is refused may send the body or not: where the next request begins is then unknown.
        self.asked_first = self.expect_100_continue and self.cycle.keep_alive
        if self.asked_first:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Uvicorn's parser callback: a part of the body has arrived."""
        self.unfinished_bytes = 0
        self._keep_if_asked_first()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Uvicorn's parser callback: a request has arrived whole."""
        if self.parser.should_upgrade():
            return
        self.reading = False
        self._keep_if_asked_first()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Uvicorn's callback: the client does not take its answer as fast as it is written."""
        super().pause_writing()
        self.stuck = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Uvicorn's callback: the client has taken most of its answer."""
        super().resume_writing()
        self._stop_stuck_clock()

    def timeout_keep_alive_handler(self) -> None:
        """Uvicorn's callback: an idle connection's time is over, whether or not the client has taken its answer."""
        self.transport.abort()

    def _keep_if_asked_first(self) -> None:
        if self.asked_first:
            self.asked_first = False
            self.cycle.keep_alive = True

    def _count_head(self, size: int) -> None:
        self.head_bytes += size
        if self.head_bytes > MAX_HEAD_BYTES:
            self._stop_parsing(HEAD_TOO_LARGE)

    def _stop_parsing(self, fault: ProblemError) -> None:
        self.fault = fault
        raise fault

    def _stop_clock(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    def _stop_stuck_clock(self) -> None:
        if self.stuck is not None:
            self.stuck.cancel()
            self.stuck = None

    def _too_slow(self) -> None:
        self.deadline = None
        self._refuse(ProblemError(408, f"The request did not arrive within {REQUEST_SECONDS:g} seconds."))

    def _refuse(self, problem: ProblemError) -> None:
        """Answer the request that is being read with this problem, after the answers to those before it, and close."""
        if self.transport.is_closing():
            return
        in_body = self.reading and not self.reading_head
        if in_body and self.pipeline:
            # Not its turn yet: the clock runs out once more.
            self.deadline = self.deadline or self.loop.call_later(REQUEST_SECONDS, self._too_slow)
        elif not in_body and self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        else:
            if not (in_body and self.cycle.response_started):
                self._write_refusal(problem)
            self.transport.close()

    def _write_refusal(self, problem: ProblemError) -> None:
        request_id = cast("Front | Scrapes", self.app).note_refusal(self.client, problem.status)
        body = msgspec.json.encode(problem.document(request_id))
        head = b"content-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (PROBLEM_JSON, len(body))
        self.transport.write(STATUS_LINE[problem.status] + head + body)
