"""How far a run is, for those who wait for it: a line every ten seconds, and one for the last part."""

import logging
import time

from api.scoring.part import Outcome

LINE_SECONDS = 10.0

log = logging.getLogger(__name__)


class Progress:
    """Of so many parts."""

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self.finished = self.before = 0
        self.rows = self.refused = 0
        self.started = self.last_line = time.monotonic()

    def add(self, rows: int) -> None:
        """So many more rows of a part were scored."""
        self.rows += rows
        self._say()

    def done(self, outcome: Outcome) -> Outcome:
        """A part is done."""
        self.finished += 1
        self.before += not outcome.fresh
        self.refused += outcome.refused
        self._say()
        return outcome

    def _say(self) -> None:
        now = time.monotonic()
        if self.finished < self.parts and now - self.last_line < LINE_SECONDS:
            return
        self.last_line = now
        before = f" ({self.before} of them before)" if self.before else ""
        pace = f", {self.rows / (now - self.started):,.0f} rows/s" if self.rows else ""
        refused = f", {self.refused:,} refused" if self.refused else ""
        log.info("%d of %d parts%s, %s rows%s%s", self.finished, self.parts, before, f"{self.rows:,}", pace, refused)
