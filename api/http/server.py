"""Runs the application on uvicorn, and ends it without dropping a request."""

import asyncio
import contextlib
import functools
import logging
import resource
import signal
import socket
from collections.abc import Iterator
from typing import Literal

import uvicorn

from api.http.connection.protocol import BoundedProtocol
from api.http.front import Front
from api.http.metrics import Scrapes
from api.http.sockets import BACKLOG, url
from api.settings import Settings

log = logging.getLogger(__name__)

QUIET_SECONDS = 1.0
"""While draining, the server goes on listening until no request has come for this long."""


class Server(uvicorn.Server):
    """Drains on SIGTERM: says not ready, closes connections as they answer, then stops; its exit code is 0."""

    def __init__(self, settings: Settings, app: Front, metrics_sockets: list[socket.socket]) -> None:
        self.app = app
        self.drain_seconds = settings.shutdown_seconds / 2
        self.draining: asyncio.Task[None] | None = None
        self.metrics_sockets = metrics_sockets
        self.metrics_config = _config(settings, Scrapes(app.metrics), lifespan="off")
        super().__init__(_config(settings, app, lifespan="on"))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Uvicorn's hook: begin to answer."""
        await super().startup(sockets)
        for bound in self.metrics_sockets:
            protocol = functools.partial(BoundedProtocol, self.metrics_config, self.server_state, {})
            self.servers.append(await asyncio.get_running_loop().create_server(protocol, sock=bound))
        urls = " and ".join(map(url, sockets or ()))
        log.info("serving at %s: open it in a browser; Control-C ends the service", urls)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals ourselves: uvicorn would raise them again at the end, and the exit code would not be 0."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._terminate)
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGTERM)
            loop.remove_signal_handler(signal.SIGINT)

    def _terminate(self) -> None:
        if self.draining is None:
            log.info("SIGTERM: draining, for at most %g s", self.drain_seconds)
            self.app.readiness.draining = True
            self.draining = asyncio.create_task(self._drain())

    def _interrupt(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.drain_seconds
        answered = -1
        while loop.time() < end and answered != self.server_state.total_requests:
            answered = self.server_state.total_requests
            await asyncio.sleep(QUIET_SECONDS)
        self.should_exit = True


def _config(settings: Settings, app: Front | Scrapes, lifespan: Literal["on", "off"]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        loop="uvloop",
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.shutdown_seconds // 2 or 1,
        backlog=BACKLOG,
    )


def allow_many_connections() -> None:
    """Raise this process's limit of open files to what the system lets it have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
