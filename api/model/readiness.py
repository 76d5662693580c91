"""Whether the service may be given requests: only while a real prediction works and nothing says otherwise."""

import asyncio
import logging

import numpy as np

from api.model.answers import Row
from api.model.batching import Batcher, PredictionError

log = logging.getLogger(__name__)

BEAT_SECONDS = 0.25
STALL_SECONDS = 1.0
REMEMBER_STALL_SECONDS = 30.0


class Readiness:
    """Answers why the service is not ready, or that it is; `row` is one that the model predicts."""

    def __init__(self, batcher: Batcher, row: Row) -> None:
        self.batcher = batcher
        self.draining = False
        self.row = row
        self.expected = batcher.model.predict(np.array([row], np.float32)).tolist()[0]
        self.stalled_for = 0.0
        self.stalled_at = float("-inf")

    async def reason(self) -> str:
        """Why not; empty when a prediction has just succeeded."""
        if self.draining:
            return "shutting down"
        if asyncio.get_running_loop().time() - self.stalled_at < REMEMBER_STALL_SECONDS:
            return f"the event loop stalled for {self.stalled_for:.1f} s"
        try:
            # Past the limit of waiting rows: a busy service is ready, and ending it would only move its load.
            answer = await self.batcher.probe(self.row)
        except PredictionError as error:
            log.exception("the readiness probe's prediction failed")
            return f"predictions fail: {error}"
        if answer.value != self.expected:
            return f"the model predicts {answer.value} where it predicted {self.expected} at the start"
        return ""

    async def watch(self) -> None:
        """Measure how late the event loop is, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            late = loop.time() - due
            if late > STALL_SECONDS:
                self.stalled_for, self.stalled_at = late, loop.time()
