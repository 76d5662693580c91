"""Keeps a share of the requests: each row with its answer becomes a line for the relay (`api/relay.py`).

No request waits for it. A row is encoded between others' requests, and what the relay does not take in time is dropped
and counted.
"""

import asyncio
import datetime
import hashlib
import logging
import math
import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import msgspec

from api.model.answers import Answer, Row
from api.relay import HOST, MAX_LINE_BYTES
from api.store.schema import Feature, Schema

log = logging.getLogger(__name__)

MAX_HELD_VALUES = 100_000
"""Of rows that wait to be encoded, three megabytes or so."""

VALUES_PER_TURN = 512
"""Of rows that a turn of the event loop encodes."""

MAX_SENT_BYTES = 2**20
"""Of lines that the relay has not taken."""

RETRY_SECONDS = 1.0
CLOSE_SECONDS = 1.0
_encode = msgspec.json.Encoder().encode


Body = Callable[[Answer], msgspec.Struct]
"""Makes the body of one row's answer."""


class _Held(NamedTuple):
    at: datetime.datetime
    request_id: str
    place: int
    row: Row
    answer: Answer
    body: Body


class Capture(asyncio.Protocol):
    """The captured requests of one service, and its connection to the relay.

    Which requests are kept follows from their number and a key that only this process knows: no caller can have its
    requests kept or left out, and no rhythm of theirs meets one of ours.
    """

    def __init__(self, schema: Schema, version: str, percent: float, port: int) -> None:
        self.features = schema.features
        self.version = version
        self.percent = percent
        self.port = port
        self.key = os.urandom(16)
        self.requests = 0
        self.held: deque[_Held] = deque()
        self.rows_per_turn = max(1, VALUES_PER_TURN // len(self.features))
        self.most_held = MAX_HELD_VALUES // len(self.features)
        self.transport: asyncio.Transport | None = None
        self.jammed = False
        self.lost = asyncio.Event()
        self.captured = self.dropped = 0

    def chooses(self) -> bool:
        """Whether this request, asked about once, is one of those to be kept."""
        if not self.percent:
            return False
        self.requests += 1
        digest = hashlib.blake2b(self.requests.to_bytes(8), digest_size=8, key=self.key).digest()
        return int.from_bytes(digest) * 100 < self.percent * 2**64

    def take(self, request_id: str, rows: Sequence[Row], answers: Sequence[Answer], body: Body) -> None:
        """Keep a request's rows and answers."""
        at = datetime.datetime.now(datetime.UTC)
        room = max(0, self.most_held - len(self.held))
        self.dropped += max(0, len(rows) - room)
        if not self.held:
            asyncio.get_running_loop().call_soon(self._turn)
        pairs = zip(rows[:room], answers[:room], strict=True)
        self.held.extend(_Held(at, request_id, place, *pair, body) for place, pair in enumerate(pairs))

    async def run(self) -> None:
        """Keep a connection to the relay, until cancelled."""
        loop, told = asyncio.get_running_loop(), False
        while True:
            try:
                await loop.create_connection(lambda: self, HOST, self.port)
            except OSError as error:
                if not told:
                    log.warning("captured rows are dropped until `python -m api.relay` listens: %s", error)
                told = True
            else:
                told = False
                await self.lost.wait()
            await asyncio.sleep(RETRY_SECONDS)

    async def close(self) -> None:
        """Send what is held, and wait a moment for the relay to take it."""
        while self.held:
            self._send()
        if self.transport:
            self.transport.close()
            try:
                await asyncio.wait_for(self.lost.wait(), CLOSE_SECONDS)
            except TimeoutError:
                log.warning("the relay did not take the last captured rows")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(MAX_SENT_BYTES)
        self.jammed = False
        self.lost.clear()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (the same, whyever)
        """See `asyncio.Protocol`."""
        self.transport = None
        self.lost.set()

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self.jammed = True

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self.jammed = False

    def _turn(self) -> None:
        self._send()
        if self.held:
            asyncio.get_running_loop().call_soon(self._turn)

    def _send(self) -> None:
        for _ in range(min(self.rows_per_turn, len(self.held))):
            held = self.held.popleft()
            if self.transport is None or self.jammed or len(line := self._line(held)) > MAX_LINE_BYTES:
                self.dropped += 1
                continue
            self.transport.write(line)
            self.captured += 1

    def _line(self, held: _Held) -> bytes:
        line = {
            "time": held.at,
            "request_id": held.request_id,
            "row": held.place,
            "model_version": self.version,
            "features": {
                feature.name: as_sent(feature, value) for feature, value in zip(self.features, held.row, strict=True)
            },
            "prediction": held.body(held.answer),
        }
        return _encode(line) + b"\n"


def as_sent(feature: Feature, value: float) -> Any:
    """A value of the model's own numbers in the table's terms: a category by name, yes or no, None where missing."""
    if math.isnan(value):
        return None
    match feature.kind:
        case "category":
            return feature.categories[int(value)]
        case "boolean":
            return bool(value)
        case "integer" if value == int(value):
            return int(value)
    return value
