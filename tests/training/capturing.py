"""Captured lines as the service writes them, and the log group that they end up in."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import boto3
import numpy as np
import numpy.typing as npt
import pandas as pd

GROUP = "/ecs/housing-test-capture"
STREAM = "relay/relay/0123456789abcdef"
_MOST_EVENTS = 10_000


def line(features: Mapping[Any, Any], prediction: dict[str, Any], at: datetime, request: str, **others: Any) -> str:
    """One captured row."""
    said = {"time": at.isoformat(), "request_id": request, "row": 0, "model_version": "1"} | others
    return json.dumps({**said, "features": features, "prediction": prediction})


def lines(
    rows: pd.DataFrame, predicted: npt.NDArray[np.floating], times: Sequence[datetime], answer: str, **others: Any
) -> list[str]:
    """A captured line for each row, answered with a number and an interval of one below to one above."""
    return [
        line(
            row,
            {answer: value, "interval": {"low": value - 1, "high": value + 1}, "extrapolated": []},
            at,
            str(i),
            **others,
        )
        for i, (row, value, at) in enumerate(zip(rows.to_dict("records"), predicted.tolist(), times, strict=True))
    ]


def keep(texts: Iterable[str], times: Iterable[datetime], group: str = GROUP) -> str:
    """Put lines into a new log group of the emulated CloudWatch; returns its name."""
    client = boto3.client("logs")
    client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName=STREAM)
    events = [{"timestamp": int(at.timestamp() * 1000), "message": text} for text, at in zip(texts, times, strict=True)]
    for start in range(0, len(events), _MOST_EVENTS):
        client.put_log_events(logGroupName=group, logStreamName=STREAM, logEvents=events[start : start + _MOST_EVENTS])
    return group
