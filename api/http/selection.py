"""Which requests have a line of their own in the log."""

SLOW_SECONDS = 0.5
"""A request that takes longer has a line: as long as those take that ring the deployed stack's alarm on latency."""

SAMPLE = 100
"""Of the requests that are neither refused nor slow one in so many has a line: every hundredth."""


class Selection:
    """Says yes to all, or to the remarkable ones and a sample of the others."""

    def __init__(self, *, everything: bool) -> None:
        self.everything = everything
        self.unremarkable = 0

    def takes(self, status: int, seconds: float) -> bool:
        """Whether an answered request is to be written."""
        if self.everything or status >= 400 or seconds > SLOW_SECONDS:
            return True
        self.unremarkable += 1
        return self.unremarkable % SAMPLE == 0
