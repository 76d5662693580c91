"""What the service says: a line for each request and each event, as JSON for programs or as text for people."""

import datetime
import functools
import logging
import os
import time
import traceback
from collections.abc import Callable

import msgspec

STANDARD_OUTPUT = 1

Write = Callable[[bytes], None]
"""Takes a line, its end included, and does not wait."""


class RequestLine(msgspec.Struct, gc=False):
    """One answered request."""

    time: str
    level: str
    request_id: str
    client: str
    method: str
    path: str
    status: int
    duration_ms: float
    model_version: str


class Event(msgspec.Struct, omit_defaults=True):
    """Anything else that is worth a line."""

    time: str
    level: str
    logger: str
    message: str
    exception: str = ""


_encode = msgspec.json.Encoder().encode


@functools.lru_cache(maxsize=2)
def _whole_second(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def timestamp(seconds: float) -> str:
    """UTC, ISO 8601, to the millisecond."""
    whole = int(seconds)
    # Many lines share their second, which costs ten times as much to format as the rest.
    return f"{_whole_second(whole)}.{int((seconds - whole) * 1000):03d}Z"


def as_json(line: RequestLine | Event) -> bytes:
    """A line for programs: one JSON object."""
    return _encode(line) + b"\n"


def as_text(line: RequestLine | Event) -> bytes:
    """A line for people; an event's traceback follows in lines of its own."""
    if isinstance(line, RequestLine):
        said = f"{line.status} {line.method} {line.path} in {line.duration_ms:.1f} ms for {line.client}"
        exception = ""
    else:
        said, exception = line.message, line.exception
    lines = [f"{time.strftime('%H:%M:%S')} {line.level:8} {said}".replace("\n", "\\n"), *exception.splitlines()]
    return "".join(f"{_printable(text)}\n" for text in lines).encode()


def _printable(text: str) -> str:
    """The text without what a terminal would obey: a caller's path may hold anything."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class Journal:
    """Writes lines in the format that `LOG_FORMAT` names: `json`, `text`, or `auto`, text on a terminal only."""

    def __init__(self, write: Write, log_format: str) -> None:
        self.write = write
        text = log_format == "text" or (log_format == "auto" and os.isatty(STANDARD_OUTPUT))
        self.format = as_text if text else as_json

    def note(self, line: RequestLine | Event) -> None:
        """Write a line; it reaches the stream within a moment."""
        self.write(self.format(line))


class Handler(logging.Handler):
    """Notes in the journal what Python's logging is told."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self.journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        try:
            exception = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
            # A file's name may hold bytes that are no text.
            message, exception = (
                text.encode(errors="backslashreplace").decode() for text in (record.getMessage(), exception)
            )
            self.journal.note(Event(timestamp(record.created), record.levelname, record.name, message, exception))
        except Exception:  # noqa: BLE001 (as every handler of logging's own: a bad message is no reason to fail)
            self.handleError(record)


def configure_logging(journal: Journal) -> None:
    """Send everything that the process logs to this journal."""
    logging.basicConfig(level=logging.INFO, handlers=[Handler(journal)], force=True)
    # They repeat what our own lines say.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("botocore").setLevel(logging.WARNING)
