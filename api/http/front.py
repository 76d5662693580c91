"""The first to see every request: answers predictions itself, gives the rest to Litestar, and logs and counts all.

Litestar would route and wrap each prediction for more than the prediction costs; a dictionary look-up does here.
"""

import logging
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any

import msgspec
from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from api.http.connection.direct import Exchange
from api.http.journal import Journal, RequestLine, timestamp
from api.http.keys import ApiKeys
from api.http.messages import CLOSE, SECURITY_HEADERS, Header, Reply, send_reply
from api.http.metrics import Metrics
from api.http.problems import PROBLEM_JSON, ProblemError
from api.http.selection import Selection
from api.model.batching import OverloadedError
from api.model.readiness import Readiness
from api.watch.live import Live

log = logging.getLogger(__name__)

Operation = Callable[[HTTPScope, Receive], Awaitable[Reply]]

End = Callable[[Reply | Exception], None]
DirectOperation = Callable[[HTTPScope, bytes, End], None]
"""Takes the scope and the whole body; calls its last argument once, later, with the reply or with what went wrong."""

_REQUEST_ID = re.compile(rb"[\w=:;.+/-]{1,128}")
_PROBES = {"/health", "/ready"}
_METHODS = {"GET", "HEAD", "POST", "OPTIONS"}
"""Those that a metric names; there are 40 more, and a caller may send any of them to any path."""
# A refusal for lack of room, or while draining, is no fault of the service's.
_LEVELS = {500: "ERROR", 503: "WARNING"}


class Front:
    """The ASGI application that the server runs.

    `operations` are POST endpoints answered here, `direct` those of them that need no task; `paths` are those that
    Litestar has, by exact name. Everything else is 404 without a further look.
    """

    def __init__(
        self,
        litestar: ASGIApp,
        operations: dict[str, Operation],
        direct: Mapping[str, DirectOperation],
        paths: set[str],
        keys: ApiKeys,
        readiness: Readiness,
        metrics: Metrics,
        journal: Journal,
        live: Live,
        selection: Selection,
        trusted_proxies: int,
    ) -> None:
        self.litestar = litestar
        self.operations = operations
        self.direct = direct
        self.paths = paths
        self.keys = keys
        self.readiness = readiness
        self.metrics = metrics
        self.journal = journal
        self.live = live
        self.selection = selection
        self.trusted_proxies = trusted_proxies
        process = os.urandom(6).hex()
        self.made_ids = (f"{process}-{n:x}" for n in count(1))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass the server's own events on."""
        if scope["type"] != ScopeType.HTTP:
            await self.litestar(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = self._request_id(scope["headers"])
        path = scope["path"]
        # For Litestar's error documents.
        scope.setdefault("state", {})["request_id"] = request_id
        if scope["method"] == "POST" and (operation := self.operations.get(path)):
            reply = await self._reply(operation, scope, receive, request_id)
        elif path in self.operations:
            reply = _post_only(scope["method"], request_id)
        elif path in self.paths:
            reply = None
        else:
            reply = problem_reply(ProblemError(404, "There is nothing at this path."), request_id)
        headers = self._headers(request_id)
        if reply is None:
            status = await self._litestar(scope, receive, send, headers)
        else:
            status = reply.status
            await send_reply(send, reply, headers)
        self._note(scope, request_id, status, started)

    def answer(self, exchange: Exchange) -> None:
        """Answer a request of one of the `direct` operations, now or when its turn of predictions is over."""
        started = time.perf_counter()
        scope = exchange.scope
        headers = scope["headers"]
        request_id = self._request_id(headers)
        scope["state"] = {"request_id": request_id}

        def end(outcome: Reply | Exception) -> None:
            reply = outcome if isinstance(outcome, Reply) else _refusal(outcome, request_id)
            exchange.end(reply, request_id, closing=self.readiness.draining)
            self._note(scope, request_id, reply.status, started)

        try:
            self.keys.check(headers)
            self.direct[scope["path"]](scope, exchange.whole, end)
        except Exception as error:  # noqa: BLE001 (whatever fails is answered)
            end(error)

    async def _reply(self, operation: Operation, scope: HTTPScope, receive: Receive, request_id: str) -> Reply:
        try:
            self.keys.check(scope["headers"])
            return await operation(scope, receive)
        except Exception as error:  # noqa: BLE001 (whatever fails is answered)
            return _refusal(error, request_id)

    def _headers(self, request_id: str) -> list[Header]:
        """Those that every answer has."""
        headers = [*SECURITY_HEADERS, (b"x-request-id", request_id.encode())]
        if self.readiness.draining:
            # The load balancer opens its next connection to another task.
            headers.append(CLOSE)
        return headers

    async def _litestar(self, scope: HTTPScope, receive: Receive, send: Send, headers: list[Header]) -> int:
        status = 500

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = [_with_head(name, value) for name, value in message["headers"]]
                present = {name for name, _ in own}
                message["headers"] = [*own, *(h for h in headers if h[0] not in present)]
            await send(message)

        if scope["method"] == "HEAD":
            # A GET of which the server sends the head only.
            scope = {**scope, "method": HttpMethod.GET}
        await self.litestar(scope, receive, with_headers)
        return status

    def _request_id(self, headers: Any) -> str:
        """The caller's or the load balancer's, if it can be one; else our own."""
        for name, value in headers:
            if name in (b"x-amzn-trace-id", b"x-request-id") and _REQUEST_ID.fullmatch(value):
                return str(value, "ascii")
        return next(self.made_ids)

    def _client(self, scope: HTTPScope) -> str:
        """Where the request came from: the address that the outermost trusted proxy saw."""
        if self.trusted_proxies:
            forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").split(b",")
            if len(forwarded) >= self.trusted_proxies and forwarded[-1]:
                return forwarded[-self.trusted_proxies].strip().decode("latin-1")[:64]
        return _address(scope["client"])

    def note_refusal(self, client: tuple[str, int] | None, status: int) -> str:
        """Count and log what the server refused before it was a request; returns the request id it gets."""
        request_id = next(self.made_ids)
        self.metrics.request("other", "other", status, 0.0)
        self.live.request(status, 0.0)
        self._write_line(request_id, _address(client), "", "", status, 0.0)
        return request_id

    def _note(self, scope: HTTPScope, request_id: str, status: int, started: float) -> None:
        seconds = time.perf_counter() - started
        path, method = scope["path"], scope["method"]
        known = path in self.operations or path in self.paths
        self.metrics.request(method if method in _METHODS else "other", path if known else "other", status, seconds)
        if path in _PROBES and status < 400:
            return
        self.live.request(status, seconds)
        if self.selection.takes(status, seconds):
            self._write_line(request_id, self._client(scope), method, path, status, seconds)
        else:
            self.live.left_out += 1

    def _write_line(self, request_id: str, client: str, method: str, path: str, status: int, seconds: float) -> None:
        self.journal.note(
            RequestLine(
                timestamp(time.time()),
                _LEVELS.get(status, "INFO"),
                request_id,
                client,
                method,
                path[:256],
                status,
                round(seconds * 1000, 3),
                self.metrics.model_version,
            )
        )


def _with_head(name: bytes, value: bytes) -> Header:
    """Litestar does not know that HEAD is answered wherever GET is."""
    return (name, value + b", HEAD") if name == b"allow" and b"GET" in value else (name, value)


def _address(client: tuple[str, int] | None) -> str:
    # A socket that serves both protocols sees IPv4 addresses so.
    return client[0].removeprefix("::ffff:") if client else ""


def problem_reply(problem: ProblemError, request_id: str) -> Reply:
    """A problem document as a response."""
    body = msgspec.json.encode(problem.document(request_id))
    return Reply(problem.status, body, PROBLEM_JSON, tuple(problem.headers))


def _refusal(error: Exception, request_id: str) -> Reply:
    """How an operation that failed with this is answered."""
    if isinstance(error, ProblemError):
        return problem_reply(error, request_id)
    if isinstance(error, OverloadedError):
        busy = ProblemError(503, "Too many requests are waiting; try again.", headers=[(b"retry-after", b"1")])
        return problem_reply(busy, request_id)
    log.error("request %s failed", request_id, exc_info=error)
    return problem_reply(ProblemError(500, "The service failed to answer."), request_id)


def _post_only(method: str, request_id: str) -> Reply:
    """How an operation answers another method than POST."""
    allow = ((b"allow", b"OPTIONS, POST"),)
    if method == "OPTIONS":
        return Reply(204, b"", headers=allow)
    return problem_reply(ProblemError(405, "This path does not answer this method.", headers=[*allow]), request_id)
