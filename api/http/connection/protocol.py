"""HTTP/1.1 as uvicorn speaks it, with bounds on what a request's head is and how slowly it may arrive."""

import asyncio
from typing import Any, cast

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.http.connection.clocks import Clock, IdleClock
from api.http.connection.direct import Exchange
from api.http.connection.head import HEAD_TOO_LARGE, MAX_HEAD_BYTES, Head
from api.http.front import Front
from api.http.metrics import Scrapes
from api.http.problems import PROBLEM_JSON, ProblemError

MAX_PIPELINED = 32
"""Requests that wait for the answer to one before them on their connection; each takes 2 kB, and 30 bytes to send."""

REQUEST_SECONDS = 20.0
"""From a request's first byte to its last, and for a client to take its answer."""

TOO_MANY = ProblemError(400, f"More than {MAX_PIPELINED} requests were sent without waiting for their answers.")
NOT_HTTP = ProblemError(400, "This is not an HTTP/1.1 request.")
NO_PROXY = ProblemError(400, "This service is no proxy: there is nothing to connect to.")


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A request that breaks a bound is refused with a problem document and the connection closed.

    Uvicorn runs the application in a task for each request; one that arrives whole may be answered without.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.direct = cast("Front | Scrapes", self.app).direct
        self.exchange: Exchange | None = None
        self.idle = IdleClock(self.loop, self.timeout_keep_alive, self._abort)
        self.deadline = Clock(self.loop, self._too_slow)
        self.stuck = Clock(self.loop, self._abort)
        self.head = Head()
        self.unfinished_bytes = 0
        self.reading_head = False
        self.reading = False
        self.asked_first = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection that says nothing at all is an idle one."""
        super().connection_made(cast("asyncio.Transport", transport))
        self.idle.start()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        for clock in (self.idle, self.deadline, self.stuck):
            clock.stop()
        super().connection_lost(exc)

    def eof_received(self) -> Any:  # uvicorn says None, asyncio means bool
        """A client that has sent everything still gets its answer."""
        waiting = self.cycle is not None and not self.cycle.response_complete and not self.reading
        if waiting:
            self.cycle.keep_alive = False
        return waiting

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived; whatever stays incomplete runs against the clock."""
        self.idle.pause()
        self.unfinished_bytes += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            # What a callback raised.
            fault = error.__context__
            self._refuse(fault if isinstance(fault, ProblemError) else NOT_HTTP)
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            self._leave_to_uvicorn(exchange)
        if self.reading:
            # A header without an end never reaches on_header.
            if self.unfinished_bytes > MAX_HEAD_BYTES:
                self._refuse(HEAD_TOO_LARGE)
            if not self.transport.is_closing():
                self.deadline.start(REQUEST_SECONDS)
            return
        self.deadline.stop()
        if not self._answering():
            # An empty line begins no request.
            self.idle.start()

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
            else:
                return
            # After the wish is dealt with: in there, a fault of the head would be said to come of the wish.
            head = self._head_without_upgrade()
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self.parser.feed_data(head)

    def _head_without_upgrade(self) -> bytes:
        first = b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        headers = [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([first, *headers, b"", b""])

    def on_message_begin(self) -> None:
        """Uvicorn's parser callback: a request starts."""
        if len(self.pipeline) >= MAX_PIPELINED:
            raise TOO_MANY
        self.reading = self.reading_head = True
        self.head.begin()
        self.unfinished_bytes = 0
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Uvicorn's parser callback: a header is complete. Those that follow a body are none, and are left out."""
        if not self.reading_head:
            return
        name = name.lower()
        self.head.add(name, value)
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Uvicorn's parser callback: the head is complete."""
        self.unfinished_bytes = 0
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise NO_PROXY
            # It comes again, see _parse.
            return
        self.head.end(self.url, self.parser.get_http_version())
        if self._begin_exchange():
            self.reading_head = False
            return
        if self.expect_100_continue:
            # HTTP/1.0 has no answers before the answer.
            self.expect_100_continue = self.parser.get_http_version() == "1.1"
        self._begin_cycle()
        self.reading_head = False
        # Whoever asks first and is refused may send the body or not: where the next request begins is then unknown.
        self.asked_first = self.expect_100_continue and self.cycle.keep_alive
        if self.asked_first:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Uvicorn's parser callback: a part of the body has arrived."""
        self.unfinished_bytes = 0
        if self.exchange is not None:
            self.exchange.whole += body
            return
        self._keep_if_asked_first()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Uvicorn's parser callback: a request has arrived whole."""
        if self.parser.should_upgrade():
            return
        self.reading = False
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            cast("Front", self.app).answer(exchange)
            return
        self._keep_if_asked_first()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Uvicorn's callback: an answer is sent; the next request's turn, or the next one is awaited."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self.idle.start()

    def pause_writing(self) -> None:
        """Uvicorn's callback: the client does not take its answer as fast as it is written."""
        super().pause_writing()
        self.stuck.start(REQUEST_SECONDS)

    def resume_writing(self) -> None:
        """Uvicorn's callback: the client has taken most of its answer."""
        super().resume_writing()
        self.stuck.stop()

    def _begin_exchange(self) -> bool:
        """Whether this request will be answered without a task, if all of it has arrived."""
        path = self.url.decode("latin-1")
        if path not in self.direct or self.parser.get_method() != b"POST" or self.expect_100_continue:
            return False
        # A client that does not take its answers waits in a task for its next one, and behind another request it waits
        # in uvicorn's queue.
        if self.flow.write_paused or self.transport.is_closing() or self._answering():
            return False
        keep_alive = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        self.cycle = self.exchange = Exchange(
            self.transport,
            self.server_state.default_headers,
            path,
            self.headers,
            self.client,
            self.on_response_complete,
            keep_alive=keep_alive,
        )
        return True

    def _begin_cycle(self) -> None:
        """Uvicorn's own scope, cycle and task for the request whose head has been read."""
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expect
        self.scope["headers"] = headers
        super().on_headers_complete()

    def _leave_to_uvicorn(self, exchange: Exchange) -> None:
        """The rest of the body is still to come, and whoever sends it is to hear of a fault at once."""
        begun = exchange.whole
        exchange.response_complete = True
        self._begin_cycle()
        if begun:
            super().on_body(begun)

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _keep_if_asked_first(self) -> None:
        if self.asked_first:
            self.asked_first = False
            self.cycle.keep_alive = True

    def _abort(self) -> None:
        """End the connection, whether or not the client has taken its answer."""
        self.transport.abort()

    def _too_slow(self) -> None:
        self._refuse(ProblemError(408, f"The request did not arrive within {REQUEST_SECONDS:g} seconds."))

    def _refuse(self, problem: ProblemError) -> None:
        """Answer the request that is being read with this problem, after the answers to those before it, and close."""
        if self.transport.is_closing():
            return
        in_body = self.reading and not self.reading_head
        if in_body and self.pipeline:
            # Not its turn yet: the clock runs out once more.
            self.deadline.start(REQUEST_SECONDS)
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
