"""What the service writes to standard output: JSON, one object a line.

Request lines are collected and written once per turn of the event loop, so that logging does not limit throughput.
"""

import asyncio
import contextlib
import datetime
import functools
import logging
import sys
import traceback
from typing import BinaryIO

import msgspec


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


class _Record(msgspec.Struct, omit_defaults=True):
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


class JsonFormatter(logging.Formatter):
    """Formats ordinary log records like the request lines."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object, its exception's traceback included."""
        exception = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        # A file's name may hold bytes that are no text.
        message, exception = (
            text.encode(errors="backslashreplace").decode() for text in (record.getMessage(), exception)
        )
        line = _Record(timestamp(record.created), record.levelname, record.name, message, exception)
        return _encode(line).decode()


def configure_logging() -> None:
    """Send everything that the process logs to standard output as JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # Both repeat what our own lines say.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("botocore").setLevel(logging.WARNING)


class Journal:
    """Writes request lines."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.lines: list[bytes] = []

    def write(self, line: RequestLine) -> None:
        """Note a request; it reaches the stream within this turn of the event loop."""
        if not self.lines:
            asyncio.get_running_loop().call_soon(self.flush)
        self.lines.append(_encode(line))

    def flush(self) -> None:
        """Write what has been noted."""
        lines, self.lines = self.lines, []
        # A service that cannot log still answers.
        with contextlib.suppress(OSError):
            self.stream.write(b"\n".join(lines) + b"\n" if lines else b"")
            self.stream.flush()
