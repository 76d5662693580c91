"""Prometheus metrics, counted in plain integers on the hot path and turned into metric families when scraped."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from litestar.types import Receive, Scope, Send
from prometheus_client import CollectorRegistry, ProcessCollector, make_asgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from api.http.output import Output
from api.model.batching import Value
from api.model.classes import class_probabilities, most_probable
from api.model.model import Model
from api.store.manifest import PREDICTIONS

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
BATCH_ROWS = (1, 2, 4, 8, 16, 32, 64, 128)


class Histogram:
    """Counts of values up to each bound, and their sum."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative counts, as Prometheus wants them."""
        total, result = 0, []
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            total += count
            result.append((bound, float(total)))
        return result


class Metrics(Collector):
    """All metrics of one service."""

    def __init__(self, model: Model, load_seconds: float, output: Output) -> None:
        self.model_version = model.version
        self.target = model.schema.target
        self.load_seconds = load_seconds
        self.output = output
        self.requests: dict[tuple[str, str, int], Histogram] = defaultdict(lambda: Histogram(SECONDS))
        self.batch_rows = Histogram(BATCH_ROWS)
        self.values = Histogram(_value_bounds(model))
        self.labels = dict.fromkeys(self.target.classes, 0)

    def request(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count one answered request; `method` and `path` come from short lists, never from what a client made up."""
        self.requests[method, path, status].observe(seconds)

    def batch(self, values: list[Value]) -> None:
        """Count one batch of predictions."""
        self.batch_rows.observe(len(values))
        for value in values:
            if self.labels:
                self.labels[self.target.classes[most_probable(class_probabilities(value))]] += 1
            elif isinstance(value, float):
                self.values.observe(value)

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client.registry.Collector`."""
        info = InfoMetricFamily("model", "The model that serves.")
        info.add_metric([], {"version": self.model_version})
        yield info
        yield GaugeMetricFamily("model_load_seconds", "Time to fetch, verify and load it.", value=self.load_seconds)
        yield CounterMetricFamily(
            "log_lines_dropped", "Log lines that nobody took from standard output in time.", value=self.output.dropped
        )
        labels = ["method", "path", "status"]
        requests = CounterMetricFamily("http_requests", "Answered requests.", labels=labels)
        durations = HistogramMetricFamily("http_request_duration_seconds", "Time to answer.", labels=labels)
        for (method, path, status), histogram in self.requests.items():
            requests.add_metric([method, path, str(status)], sum(histogram.counts))
            durations.add_metric([method, path, str(status)], histogram.buckets(), histogram.sum)
        yield requests
        yield durations
        yield _histogram("predict_batch_rows", "Rows predicted together.", self.batch_rows)
        if not self.labels:
            yield _histogram("predicted_value", f"Predictions of {self.target.label}.", self.values)
            return
        predicted = CounterMetricFamily("predicted_label", f"Predictions of {self.target.label}.", labels=["label"])
        for label, count in list(self.labels.items()):
            predicted.add_metric([label], count)
        yield predicted


class Scrapes:
    """The ASGI application of the metrics' port: they are the answer to whatever is asked there."""

    direct: Mapping[str, Any] = {}

    def __init__(self, metrics: Metrics) -> None:
        registry = CollectorRegistry()
        registry.register(metrics)
        ProcessCollector(registry=registry)
        self.answer = make_asgi_app(registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self.answer(scope, receive, send)

    def note_refusal(self, client: tuple[str, int] | None, status: int) -> str:  # noqa: ARG002 (as Front's)
        """Whoever sends no HTTP to this port is in the same network, and no news."""
        return ""


def _histogram(name: str, description: str, histogram: Histogram) -> HistogramMetricFamily:
    return HistogramMetricFamily(name, description, buckets=histogram.buckets(), sum_value=histogram.sum)


def _value_bounds(model: Model) -> tuple[float, ...]:
    """The deciles of what the model predicted in training, if it says."""
    known = model.distribution.get(PREDICTIONS)
    return tuple(known.edges) if known else ()
