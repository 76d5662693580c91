"""A minute's figures as lines of CloudWatch's embedded metric format, which CloudWatch Logs turns into metrics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from api.store.schema import Feature
from api.watch.bins import Counts
from api.watch.counts import Layout
from api.watch.figures import FeatureFigures, figures, share
from api.watch.live import Minute

NAMESPACE = "ModelServing"

MOST_VALUES = 100
"""Of one metric in a line; CloudWatch takes no more."""

MOST_LABELS = 10
"""Of a model with more classes only the first have a metric of their own: each is 0.30 USD a month."""

MOST_NAMED = 5
"""Features that a line names as the most drifted ones."""

LONGEST_NAME = 255
"""Of a dimension's value: CloudWatch takes 1,024 characters, and no reader wants them."""

_UNITS = {"Latency": "Milliseconds"}
_COUNTED = {"Requests", "RefusedRequests", "FailedRequests", "BatchRows", "LogLinesLeftOut"}

_encode = msgspec.json.Encoder().encode

Values = Mapping[str, float | Sequence[float] | None]
"""By the metric's name; None and an empty list stand for one that has no value in this minute."""


class Embedded:
    """Makes the lines of one service; of its features the first so many have metrics of their own."""

    def __init__(self, layout: Layout, service: str, features: int) -> None:
        self.layout = layout
        self.service = ascii_name(service)
        self.features = layout.model.schema.features[:features]

    def lines(self, at: float, minute: Minute, hour: Counts) -> Iterator[bytes]:
        """The lines of a minute that began at this time; drift is that of the hour up to its end."""
        now, lately = figures(self.layout, minute.counts), figures(self.layout, hour)
        drift = {name: each.drift for name, each in lately.features.items() if each.drift is not None}
        most = sorted(drift, key=lambda name: drift[name], reverse=True)
        values: Values = {
            "Requests": now.requests,
            "RefusedRequests": now.refused,
            "FailedRequests": now.failed,
            "LogLinesLeftOut": int(minute.counts[self.layout.LEFT_OUT]),
            "Latency": minute.latencies.quantiles(MOST_VALUES),
            "BatchRows": minute.batches.quantiles(MOST_VALUES),
            "Prediction": minute.predictions.quantiles(MOST_VALUES),
            "ExtrapolatedShare": now.extrapolated if now.rows else None,
            "MissingShare": now.missing if now.rows else None,
            "UnknownCategoryShare": now.unknown_category if now.rows or now.unknown_category else None,
            "PredictionDrift": lately.prediction_drift,
            "FeatureDrift": drift[most[0]] if most else None,
        }
        yield from self._line(
            at, values, {}, {"MostDrifted": {name: _short(drift[name]) for name in most[:MOST_NAMED]}}
        )
        yield from self._labels(at, minute.counts)
        for feature in self.features:
            own = _of_feature(feature, now.features[feature.name], lately.features[feature.name], rows=now.rows)
            yield from self._line(at, own, {"Feature": ascii_name(feature.name)}, {})

    def _labels(self, at: float, counts: Counts) -> Iterator[bytes]:
        target, rows = self.layout.model.schema.target, int(counts[self.layout.ROWS])
        if target.kind == "category" and rows:
            predicted = counts[self.layout.labels].tolist()
            for label, count in list(zip(target.classes, predicted, strict=True))[:MOST_LABELS]:
                yield from self._line(at, {"LabelShare": share(count, rows)}, {"Label": ascii_name(label)}, {})

    def _line(
        self, at: float, values: Values, dimensions: dict[str, str], members: dict[str, object]
    ) -> Iterator[bytes]:
        """One line, or none where no metric has a value."""
        dimensions = {"Service": self.service, **dimensions}
        found = {
            name: [_short(each) for each in value] if isinstance(value, Sequence) else _short(value)
            for name, value in values.items()
            if value is not None and value != []
        }
        if not found:
            return
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [list(dimensions)],
            "Metrics": [
                {"Name": name, "Unit": _UNITS.get(name, "Count" if name in _COUNTED else "None")} for name in found
            ],
        }
        aws = {"Timestamp": int(at * 1000), "CloudWatchMetrics": [directive]}
        yield _encode({"_aws": aws, **dimensions, **found, **members}) + b"\n"


def _of_feature(feature: Feature, now: FeatureFigures, lately: FeatureFigures, *, rows: int) -> Values:
    """What can be told of a feature; what none of its values can be costs nothing."""
    category, number = feature.kind == "category", feature.kind in ("number", "integer")
    return {
        "FeatureDrift": lately.drift,
        "ExtrapolatedShare": now.extrapolated if number and rows else None,
        "MissingShare": now.missing if feature.missing and rows else None,
        "UnknownCategoryShare": now.unknown_category if category and (rows or now.unknown_category) else None,
    }


def ascii_name(name: str) -> str:
    """A name as a dimension may be called: ASCII that can be printed, other characters as Python escapes them.

    Different names stay different; one that is too long ends in the first digits of its sha256.
    """
    text = name.encode("unicode_escape").decode("ascii")
    if not text.strip() or text.startswith(":"):
        text = f"\\x{ord(text[0]):02x}{text[1:]}"
    if len(text) > LONGEST_NAME:
        digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:16]
        return f"{text[: LONGEST_NAME - len(digest) - 1]}~{digest}"
    return text


def _short(value: float) -> float:
    """Six digits, which nobody reads more of and each of which is paid for."""
    return value if isinstance(value, int) else float(f"{value:.6g}")
