"""Prometheus metrics, counted in plain integers on the hot path and turned into metric families when scraped."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from litestar.types import Receive, Scope, Send
from prometheus_client import CollectorRegistry, ProcessCollector, make_asgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from api.http.output import Output
from api.model.model import Model
from api.store.manifest import PREDICTIONS
from api.watch.histogram import Histogram
from api.watch.watch import Watch

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
DRIFT = "Drift from training (population stability index)"


class Metrics(Collector):
    """All metrics of one service."""

    def __init__(self, model: Model, load_seconds: float, output: Output, watch: Watch) -> None:
        self.model_version = model.version
        self.target = model.schema.target
        self.load_seconds = load_seconds
        self.output = output
        self.live = watch.live
        self.capture = watch.capture
        self.requests: dict[tuple[str, str, int], Histogram] = defaultdict(lambda: Histogram(SECONDS))

    def request(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count one answered request; `method` and `path` come from short lists, never from what a client made up."""
        self.requests[method, path, status].observe(seconds)

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client.registry.Collector`."""
        info = InfoMetricFamily("model", "The model that serves.")
        info.add_metric([], {"version": self.model_version})
        yield info
        yield GaugeMetricFamily("model_load_seconds", "Time to fetch, verify and load it.", value=self.load_seconds)
        yield CounterMetricFamily(
            "log_lines_dropped", "Log lines that nobody took from standard output in time.", value=self.output.dropped
        )
        yield CounterMetricFamily(
            "log_lines_left_out",
            "Requests without a line of their own, as LOG_REQUESTS says.",
            value=float(self.live.start()[self.live.layout.LEFT_OUT]),
        )
        captured, dropped = self.capture.captured, self.capture.dropped
        yield CounterMetricFamily("captured_rows", "Rows sent to the relay.", value=captured)
        yield CounterMetricFamily("captured_rows_dropped", "Rows that the relay did not take in time.", value=dropped)
        labels = ["method", "path", "status"]
        requests = CounterMetricFamily("http_requests", "Answered requests.", labels=labels)
        durations = HistogramMetricFamily("http_request_duration_seconds", "Time to answer.", labels=labels)
        for (method, path, status), histogram in self.requests.items():
            requests.add_metric([method, path, str(status)], sum(histogram.counts))
            durations.add_metric([method, path, str(status)], histogram.buckets(), histogram.sum)
        yield requests
        yield durations
        yield _histogram("predict_batch_rows", "Rows predicted together.", self.live.batch_rows)
        yield self._predicted()
        yield from self._watched()

    def _predicted(self) -> Metric:
        live, said = self.live, f"Predictions of {self.target.label}."
        counts = live.start()
        if not self.target.classes:
            return _histogram("predicted_value", said, live.values)
        predicted = CounterMetricFamily("predicted_label", said, labels=["label"])
        for label, count in zip(self.target.classes, counts[live.layout.labels].tolist(), strict=True):
            predicted.add_metric([label], count)
        return predicted

    def _watched(self) -> Iterator[Metric]:
        """What is odd about the rows since the start, and drift in the last hour where there are rows enough."""
        layout, counts = self.live.layout, self.live.start()
        for name, description, found in (
            ("feature_extrapolated", "Values outside what the model has seen.", layout.extrapolated),
            ("feature_missing", "Values that were missing.", layout.missing),
            ("feature_unknown_category", "Values refused as no category of the feature.", layout.unknown),
        ):
            family = CounterMetricFamily(name, description, labels=["feature"])
            for feature, count in zip(layout.names, counts[found].tolist(), strict=True):
                family.add_metric([feature], count)
            yield family
        drift = layout.drift(self.live.hour())
        moved = GaugeMetricFamily("feature_drift", f"{DRIFT} of the last hour's values.", labels=["feature"])
        for feature, index in drift.items():
            if feature != PREDICTIONS:
                moved.add_metric([feature], index)
        yield moved
        if PREDICTIONS in drift:
            yield GaugeMetricFamily("prediction_drift", f"{DRIFT} of its predictions.", value=drift[PREDICTIONS])


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
