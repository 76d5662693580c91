"""What a vector of counts says: shares and drift, for `GET /model`, the page and Prometheus."""

import datetime
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from api.store.manifest import PREDICTIONS
from api.watch.bins import Counts
from api.watch.counts import Layout
from api.watch.live import Live

Count = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Drift = Annotated[float, Meta(ge=0)]


class FeatureFigures(msgspec.Struct):
    """One feature's values."""

    drift: Annotated[
        Drift | None,
        Meta(
            description="Drift from training (population stability index); null: not known.",
            examples=[0.01],
        ),
    ]
    extrapolated: Annotated[Share, Meta(description="Share of rows beyond what the model has seen.", examples=[0.0])]
    missing: Annotated[Share, Meta(description="Share of rows without a value.", examples=[0.0])]
    unknown_category: Annotated[
        Share, Meta(description="Share of values refused as none of its categories.", examples=[0.0])
    ]


class Figures(msgspec.Struct):
    """What was asked and answered in a time."""

    requests: Annotated[Count, Meta(description="Answered, but for probes that succeeded.", examples=[1])]
    refused: Annotated[Count, Meta(description="Of those with a status 4xx.", examples=[0])]
    failed: Annotated[Count, Meta(description="Of those with a status 5xx.", examples=[0])]
    rows: Annotated[Count, Meta(description="Predicted.", examples=[1])]
    extrapolated: Annotated[
        Share, Meta(description="Share of rows with any value outside what the model has seen.", examples=[0.0])
    ]
    missing: Annotated[Share, Meta(description="Share of rows with any missing value.", examples=[0.0])]
    unknown_category: Annotated[
        Share, Meta(description="Share of values refused as no category, among those and the rows.", examples=[0.0])
    ]
    prediction_drift: Annotated[
        Drift | None,
        Meta(description="Drift of the predictions from training (population stability index).", examples=[0.01]),
    ]
    features: Annotated[Mapping[str, FeatureFigures], Meta(description="By feature.", examples=[{}])]


class LiveFigures(msgspec.Struct):
    """What this process has been asked and has answered."""

    since: Annotated[str, Meta(description="When it started; UTC, ISO 8601.", examples=["2026-01-31T08:32:10+00:00"])]
    last_hour: Annotated[Figures, Meta(description="In the last hour.")]
    since_start: Annotated[Figures, Meta(description="Since the start.")]


def live_figures(live: Live) -> LiveFigures:
    """The figures of the last hour and since the start."""
    since = datetime.datetime.fromtimestamp(live.since, datetime.UTC).isoformat(timespec="seconds")
    return LiveFigures(since, figures(live.layout, live.hour()), figures(live.layout, live.start()))


def figures(layout: Layout, counts: Counts) -> Figures:
    """The figures of some counts."""
    rows, unknown = int(counts[layout.ROWS]), int(counts[layout.UNKNOWN])
    drift = layout.drift(counts)
    columns = zip(
        layout.names,
        counts[layout.extrapolated].tolist(),
        counts[layout.missing].tolist(),
        counts[layout.unknown].tolist(),
        strict=True,
    )
    return Figures(
        requests=int(counts[layout.REQUESTS]),
        refused=int(counts[layout.REFUSED]),
        failed=int(counts[layout.FAILED]),
        rows=rows,
        extrapolated=share(int(counts[layout.EXTRAPOLATED_ROWS]), rows),
        missing=share(int(counts[layout.MISSING_ROWS]), rows),
        unknown_category=share(unknown, rows + unknown),
        prediction_drift=drift.get(PREDICTIONS),
        features={
            name: FeatureFigures(drift.get(name), share(outside, rows), share(none, rows), share(other, rows + other))
            for name, outside, none, other in columns
        },
    )


def share(part: int, whole: int) -> float:
    """A part of a whole; nothing of nothing is 0."""
    return part / whole if whole else 0.0
