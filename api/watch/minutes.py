"""Ends the live counts' minutes as the clock does, and writes what each of them had."""

import asyncio
import logging
import time
from collections.abc import Callable

from api.watch.embedded import Embedded
from api.watch.live import Live

log = logging.getLogger(__name__)

SECONDS = 60


class Minutes:
    """With an `embedded` each minute is written as metric lines; without, minutes only pass."""

    def __init__(self, live: Live, embedded: Embedded | None, write: Callable[[bytes], None]) -> None:
        self.live = live
        self.embedded = embedded
        self.write = write
        self.began = time.time()

    async def run(self) -> None:
        """End one minute after the other, until cancelled."""
        while True:
            await asyncio.sleep(SECONDS - time.time() % SECONDS)
            try:
                self.end()
            except Exception:
                log.exception("the figures of a minute could not be written")

    def end(self) -> None:
        """End the minute that runs, however much of it there was."""
        began, self.began = self.began, time.time()
        minute = self.live.end_minute()
        if self.embedded:
            for line in self.embedded.lines(began, minute, self.live.hour()):
                self.write(line)
