"""Writes lines to standard output without ever waiting for whoever reads it.

A thread of its own writes. If nobody reads, that thread stands still and nothing else does: lines queue up to a bound,
and what comes on top of them is dropped and counted. The descriptor itself stays as it is: what a shell and its other
programs share with us must not become non-blocking.
"""

import contextlib
import logging
import os
import select
import threading
import time
from collections.abc import Iterator

log = logging.getLogger(__name__)

MAX_HELD_BYTES = 4 * 2**20
"""Of lines that wait to be written, some 20,000 requests' worth."""

GATHER_SECONDS = 0.01
"""Lines that come this close together are written together: a busy service would else wake the thread for each turn."""

CLOSE_SECONDS = 1.0
"""How long the end of the process waits for the last lines."""


class Output:
    """A stream of whole lines. `dropped` counts those that nobody will read."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.writer: threading.Thread | None = None
        self.lines: list[bytes] = []
        self.held_bytes = 0
        self.dropped = 0
        self.begun = b""

    def start(self) -> None:
        """Start the thread; before that, the first line does.

        Raises:
            RuntimeError: the process may have no more threads.
        """
        with self.changed:
            if self.writer is None:
                thread = threading.Thread(target=self._run, name="output", daemon=True)
                thread.start()
                self.writer = thread

    def write(self, line: bytes) -> None:
        """Queue a line, its end included; from any thread, never waiting."""
        with self.lock:
            if self.held_bytes + len(line) > MAX_HELD_BYTES:
                self.dropped += 1
                return
            if not self.lines:
                self.changed.notify()
            self.lines.append(line)
            self.held_bytes += len(line)
            if self.writer is None:
                with contextlib.suppress(RuntimeError):
                    self.start()

    def close(self) -> None:
        """Wait for the lines to be written, but not for long: nobody may be reading."""
        with self.changed:
            if self.writer is None:
                # The process ends for want of a thread, and its last words say so.
                self._write(self.lines)
            else:
                self.changed.wait_for(lambda: not self.held_bytes, CLOSE_SECONDS)

    def _run(self) -> None:
        told = 0
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.lines)
            time.sleep(GATHER_SECONDS)
            with self.changed:
                lines, self.lines = self.lines, []
            lost = self._write(lines)
            with self.changed:
                self.held_bytes -= sum(map(len, lines))
                self.dropped += lost
                missing = self.dropped - told
                self.changed.notify_all()
            if missing and not lost:
                told += missing
                log.warning("%d lines of the log are missing here: they could not be written in time", missing)

    def _write(self, lines: list[bytes]) -> int:
        """Write lines; returns how many could not be."""
        lost = 0
        for group in _groups(lines):
            data = self.begun + group
            left = _write_all(self.descriptor, data)
            if left == data:
                lost += group.count(b"\n")
            else:
                # A line that was begun is completed when there is room again.
                self.begun = left
        return lost


def _groups(lines: list[bytes]) -> Iterator[bytes]:
    """Lines together, as many as a pipe takes as a whole or not at all."""
    start = size = 0
    for i, line in enumerate(lines):
        size += len(line)
        if size > select.PIPE_BUF and i > start:
            yield b"".join(lines[start:i])
            start, size = i, len(line)
    yield b"".join(lines[start:])


def _write_all(descriptor: int, data: bytes) -> bytes:
    """Write, however long it takes; returns what could not be written."""
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            # Somebody else has made it non-blocking.
            select.select((), (descriptor,), ())
        except OSError:
            break
    return data
