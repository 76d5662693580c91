"""Reads what a log group in CloudWatch kept of the last hours or days, a page at a time."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from training.errors import LogsError

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST = timedelta(days=3653)
"""CloudWatch keeps no log longer, ten years."""

# CloudWatch takes five or ten of these requests a second from a whole account: who is told to slow down, does.
_PATIENT = Config(retries={"mode": "adaptive", "total_max_attempts": 10})


def duration(text: str) -> timedelta:
    """A span of time as people write it: `30m`, `12h`, `7d`, `2w`.

    Raises:
        ValueError: it is none, nothing, or longer than any log is kept; the text says what to write.
    """
    found = re.fullmatch(r"([0-9]{1,6})([mhdw])", text.strip())
    if not found or not (span := timedelta(**{_UNITS[found[2]]: int(found[1])})):
        raise ValueError(f"{text!r} is no span of time: write minutes, hours, days or weeks, as 30m, 12h, 7d or 2w")
    if span > LONGEST:
        raise ValueError(f"{text!r} is longer than CloudWatch keeps any log, {LONGEST.days}d")
    return span


def messages(log_group: str, since: timedelta) -> Iterator[str]:
    """The lines that a log group got from `since` ago until now, in CloudWatch's order.

    Raises:
        LogsError: there is no such group, or it may not be read.
    """
    client = boto3.client("logs", config=_PATIENT)
    now = datetime.now(UTC)
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=log_group, startTime=_milliseconds(now - since), endTime=_milliseconds(now)
    )
    try:
        for page in pages:
            for event in page["events"]:
                yield event["message"]
    except ClientError as error:
        raise _explained(error, log_group, client.meta.region_name) from error


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _explained(error: ClientError, log_group: str, region: str) -> LogsError:
    code = error.response["Error"]["Code"]
    if code == "ResourceNotFoundException":
        return LogsError(
            f"There is no log group {log_group} in {region}. A stack with capture_percent above 0 names its own: "
            "`pulumi stack output capture_log_group`; AWS_REGION names another region."
        )
    if code == "AccessDeniedException":
        return LogsError(f"{log_group} in {region} may not be read; logs:FilterLogEvents on it is needed: {error}")
    return LogsError(f"{log_group} in {region} cannot be read: {error}")
