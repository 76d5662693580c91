"""How long a connection waits: for the rest of what has begun, and for the next request."""

import asyncio
from collections.abc import Callable


class Clock:
    """Calls `run_out` once, unless it is stopped before."""

    def __init__(self, loop: asyncio.AbstractEventLoop, run_out: Callable[[], None]) -> None:
        self.loop = loop
        self.run_out = run_out
        self.handle: asyncio.TimerHandle | None = None

    def start(self, seconds: float) -> None:
        """Start it; one that runs goes on as it was."""
        if self.handle is None:
            self.handle = self.loop.call_later(seconds, self._ring)

    def stop(self) -> None:
        """Stop it; one that does not run stays so."""
        if self.handle is not None:
            self.handle.cancel()
            self.handle = None

    def _ring(self) -> None:
        self.handle = None
        self.run_out()


class IdleClock:
    """Calls `run_out` when nothing has happened for `seconds`.

    One clock runs on through many requests: to set and stop it at each would cost as much as to read one.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, run_out: Callable[[], None]) -> None:
        self.seconds = seconds
        self.run_out = run_out
        self.loop = loop
        self.since: float | None = None
        self.clock = Clock(loop, self._look)

    def start(self) -> None:
        """Nothing happens from now on."""
        self.since = self.loop.time()
        self.clock.start(self.seconds)

    def pause(self) -> None:
        """Something happens, until it is started again."""
        self.since = None

    def stop(self) -> None:
        """Stop it for good."""
        self.clock.stop()

    def _look(self) -> None:
        if self.since is None:
            return
        left = self.since + self.seconds - self.loop.time()
        if left > 0:
            self.clock.start(left)
        else:
            self.run_out()
