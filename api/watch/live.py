"""What the service is asked and answers: counted as it goes, by minutes for an hour, and since the start.

A request costs a few additions and a batch one copy of its rows. The rows are counted many at a time: when the copies
fill their room, when a minute ends, and when somebody asks.
"""

import time
from collections import deque

import numpy as np

from api.model.model import Model
from api.store.manifest import PREDICTIONS
from api.trees.walk import Predictions, Rows
from api.watch.bins import Counts
from api.watch.counts import Layout
from api.watch.histogram import Histogram
from api.watch.sample import Sample

HELD_VALUES = 32_768
"""Of rows that wait to be counted; to count them takes no longer than a turn of the event loop may."""

MINUTES = 60
"""Of the window that drift is measured in."""

BATCH_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Minute:
    """What one minute had."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self.latencies = Sample()
        """In milliseconds."""
        self.batches = Sample()
        """Rows predicted together."""
        self.predictions = Sample()
        """Numbers, or probabilities of yes; none of several classes."""


class Live:
    """Counts for one model; at least `least_held` rows wait to be counted together."""

    def __init__(self, model: Model, least_held: int) -> None:
        self.layout = Layout(model)
        self.since = time.time()
        features, outputs = len(model.schema.names), model.trees.n_outputs
        room = max(least_held, HELD_VALUES // (features + outputs))
        self.rows = np.empty((room, features), np.float32)
        self.predicted = model.trees.room_for(room)
        self.held = 0
        known = model.distribution.get(PREDICTIONS)
        self.values = Histogram(known.edges if known else ())
        self.batch_rows = Histogram(BATCH_ROWS)
        self.requests = self.refused = self.failed = self.left_out = 0
        self.unknown = dict.fromkeys(self.layout.names, 0)
        self.total = self.layout.empty()
        self.minute = Minute(self.layout.empty())
        # The minute that runs is one more.
        self.minutes = deque([self.minute.counts], MINUTES + 1)

    def request(self, status: int, seconds: float) -> None:
        """Count an answered request."""
        self.requests += 1
        if status >= 400:
            self.refused += status < 500
            self.failed += status >= 500
        self.minute.latencies.add(seconds * 1000)

    def refuse(self, name: str) -> None:
        """Count a value that was refused because it is none of this feature's categories."""
        self.unknown[name] += 1

    def observe(self, rows: Rows, predicted: Predictions) -> None:
        """Take rows into account that were predicted together, and what was predicted for them."""
        self.batch_rows.observe(len(rows))
        self.minute.batches.add(len(rows))
        room = len(self.rows)
        for start in range(0, len(rows), room):
            self._hold(rows[start : start + room], predicted[start : start + room])

    def _hold(self, rows: Rows, predicted: Predictions) -> None:
        end = self.held + len(rows)
        if end > len(self.rows):
            self.count()
            end = len(rows)
        self.rows[self.held : end] = rows
        self.predicted[self.held : end] = predicted
        self.held = end

    def count(self) -> None:
        """Count whatever has come since the last time, in the minute that runs."""
        layout, predicted = self.layout, self.predicted[: self.held]
        counts = layout.count(self.rows[: self.held], predicted)
        if predicted.ndim == 1:
            self.values.observe_all(predicted)
            self.minute.predictions.extend(predicted)
        counts[layout.UNKNOWN] = sum(self.unknown.values())
        counts[layout.unknown] = list(self.unknown.values())
        counts[layout.REQUESTS : layout.LEFT_OUT + 1] = self.requests, self.refused, self.failed, self.left_out
        self.total += counts
        self.minute.counts += counts
        self.held = 0
        self.requests = self.refused = self.failed = self.left_out = 0
        self.unknown = dict.fromkeys(layout.names, 0)

    def end_minute(self) -> Minute:
        """Begin the next minute; returns the one that has ended."""
        self.count()
        ended, self.minute = self.minute, Minute(self.layout.empty())
        self.minutes.append(self.minute.counts)
        return ended

    def hour(self) -> Counts:
        """The counts of the last hour, the minute that runs included."""
        self.count()
        found: Counts = np.sum(self.minutes, axis=0, dtype=np.int64)
        return found

    def start(self) -> Counts:
        """The counts since the start."""
        self.count()
        return self.total
