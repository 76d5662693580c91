"""Natural micro-batching: rows that arrive within one turn of the event loop are predicted together.

A prediction costs little more for many rows than for one, so a busy service answers several times as many requests.
There is no timer: an idle service predicts a lone row at once.
"""

import asyncio
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from api.model.answers import Answer, Answers, Row, SentRows
from api.model.model import Model
from api.trees.walk import Predictions, Rows

MAX_ROWS_PER_TURN = 128
"""A turn of the event loop predicts no more, whatever the model."""

STEPS_PER_TURN = 576_000
"""Steps down trees that a turn may take (0.6 ms), or other connections would starve: those of 128 rows in 500 trees
of depth 8, reading a leaf being a step too."""

TURNS_ALONE = 4
"""Of a batch as many turns' rows are predicted at once (2.4 ms) while nobody else asks: who comes next waits once."""

TURNS_BETWEEN = 6
"""Turns of the event loop between two parts of a batch request: another request takes five, from socket to answer."""

MAX_BATCHED_ROWS = 50_000
"""Rows of batch requests in progress above which another one is turned away; the first is always taken."""


Waiter = Callable[["Answer | Exception"], None]


class OverloadedError(Exception):
    """Too many rows wait for their prediction; the request was not accepted."""


class PredictionError(Exception):
    """The model failed, or predicted something that is not a number."""


Observer = Callable[[Rows, Predictions], None]


def rows_per_turn(steps: int) -> int:
    """The rows that a turn of the event loop predicts, each taking so many steps down trees; one at least."""
    return max(1, min(MAX_ROWS_PER_TURN, STEPS_PER_TURN // steps))


class Batcher:
    """Predicts rows together; at most `max_waiting` rows may wait.

    `observe` is told the rows of each batch and what was predicted for them, but for a probe's.
    """

    def __init__(self, model: Model, max_waiting: int, observe: Observer) -> None:
        self.model = model
        self.max_waiting = max_waiting
        self.observe = observe
        self.rows_per_turn = rows_per_turn(model.trees.steps)
        self.rows: list[Row] = []
        self.waiters: list[Waiter] = []
        self.seen = 0
        self.turns = 0
        self.batched = 0
        self.probe_row: Row | None = None
        self.probing = 0

    async def predict(self, row: Row) -> Answer:
        """Predict one row.

        Raises:
            OverloadedError: too many rows are waiting.
            PredictionError: the model failed.
        """
        self._bound()
        return await self._future(row)

    def submit(self, row: Row, waiter: Waiter) -> None:
        """Predict one row, and call `waiter` with the answer or with what went wrong, later; it raises nothing.

        Raises:
            OverloadedError: too many rows are waiting.
        """
        self._bound()
        self._enqueue(row, waiter)

    def _bound(self) -> None:
        if len(self.rows) >= self.max_waiting:
            raise OverloadedError

    def probe(self, row: Row) -> asyncio.Future[Answer]:
        """Put a row, always the same one, into the next batch, however many wait already, to see whether that works."""
        self.probe_row = row
        self.probing += 1
        return self._future(row)

    def _future(self, row: Row) -> asyncio.Future[Answer]:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def predicted(outcome: Answer | Exception) -> None:
            if future.done():
                return
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self._enqueue(row, predicted)
        return future

    def _enqueue(self, row: Row, waiter: Waiter) -> None:
        if not self.rows:
            self._take_turn()
        self.rows.append(row)
        self.waiters.append(waiter)

    async def predict_many(self, rows: SentRows) -> Answers:
        """Predict a whole request's rows, in order, a few at each turn so that other requests are not held up.

        Raises:
            OverloadedError: too many rows are waiting.
            PredictionError: the model failed.
        """
        if self.batched and self.batched + len(rows) > MAX_BATCHED_ROWS:
            raise OverloadedError
        self.batched += len(rows)
        try:
            array = rows.astype(np.float32)
            return Answers(await self._in_turns(array), self.model.extrapolated(array))
        finally:
            self.batched -= len(rows)

    async def _in_turns(self, rows: Rows) -> Predictions:
        predicted = self.model.trees.room_for(len(rows))
        if len(rows) > self.rows_per_turn:
            self.model.trees.scorer.warm()
        start, turns = 0, self.turns
        while start < len(rows):
            alone = self.turns == turns and self.batched == len(rows)
            turns = self.turns
            part = slice(start, start + self.rows_per_turn * (TURNS_ALONE if alone else 1))
            predicted[part] = self._predict(rows[part])
            _refuse_infinite(predicted[part].sum(dtype=np.float64))
            self.observe(rows[part], predicted[part])
            start = part.stop
            for _ in range(TURNS_BETWEEN):
                await asyncio.sleep(0)
        return predicted

    @functools.cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        """Asked for once: each time is a system call in Python 3.11."""
        return asyncio.get_running_loop()

    def _take_turn(self) -> None:
        self.seen = 0
        self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Predict what waits; a crowd that has grown since the last turn may be growing still, and gets another."""
        if max(self.seen, 1) < len(self.rows) < self.rows_per_turn:
            self.seen = len(self.rows)
            self._loop.call_soon(self._turn)
            return
        self.turns += 1
        size = self.rows_per_turn
        rows, self.rows = self.rows[:size], self.rows[size:]
        waiters, self.waiters = self.waiters[:size], self.waiters[size:]
        if self.rows:
            self._take_turn()
        outcomes: Sequence[Answer | Exception]
        try:
            outcomes = self._answers(rows)
        except Exception as error:  # noqa: BLE001 (whatever fails, nobody is left waiting for an answer)
            outcomes = [error] * len(waiters)
        for waiter, outcome in zip(waiters, outcomes, strict=True):
            waiter(outcome)

    def _answers(self, rows: list[Row]) -> list[Answer]:
        array = np.array(rows, np.float32)
        predicted = self._predict(array)
        values: Any = predicted.tolist()
        # Of a few numbers Python has the sum before numpy begins.
        _refuse_infinite(sum(values) if predicted.ndim == 1 else predicted.sum(dtype=np.float64))
        self._observe(rows, array, predicted)
        return list(map(Answer, values, self.model.extrapolated(array)))

    def _predict(self, array: Rows) -> Predictions:
        try:
            return self.model.predict(array)
        except Exception as error:
            raise PredictionError("the model failed") from error

    def _observe(self, rows: list[Row], array: Rows, predicted: Predictions) -> None:
        if not self.probing:
            self.observe(array, predicted)
            return
        asked = [row is not self.probe_row for row in rows]
        self.probing -= len(rows) - sum(asked)
        self.observe(array[asked], predicted[asked])


def _refuse_infinite(total: float) -> None:
    """One infinity or NaN among the predictions makes their sum one."""
    if not math.isfinite(total):
        raise PredictionError("the model predicted something that is not a finite number")
