"""When a scheduled change happens: the expressions and time zones that Application Auto Scaling takes."""

import re
import zoneinfo
from collections.abc import Iterator
from datetime import datetime

FIELDS = {
    "minutes": (0, 59, ()),
    "hours": (0, 23, ()),
    "day of the month": (1, 31, ()),
    "month": (1, 12, ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")),
    "day of the week": (1, 7, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")),
    "year": (1970, 2199, ()),
}
"""The fields of a cron expression at AWS: the lowest and highest number of each, and their names."""

SPECIAL = {"day of the month": r"L|LW|\d{1,2}W", "day of the week": r"L|\dL|\d#[1-5]"}
"""The last day, the weekday nearest to one, the nth weekday of a month."""


def problems(schedule: str, timezone: str) -> Iterator[str]:
    """What is wrong with an expression or a time zone, each with what to use."""
    form = re.fullmatch(r"(cron|rate|at)\((.+)\)", schedule)
    if form is None:
        yield f"schedule = {schedule!r}: use cron(…), rate(…) or at(…), such as cron(0 20 * * ? *)"
    else:
        check = {"cron": _cron, "rate": _rate, "at": _at}[form[1]]
        for problem in check(form[2]):
            yield f"schedule = {schedule!r}: {problem}"
    known = zoneinfo.available_timezones()
    # Windows has no list of its own; there AWS is the first to see it.
    if known and timezone not in known:
        yield f"timezone = {timezone!r}: use the name of a time zone, such as Europe/Berlin"


def _cron(text: str) -> Iterator[str]:
    fields = text.split()
    if len(fields) != len(FIELDS):
        yield (
            f"AWS wants six fields, not {len(fields)}: {', '.join(FIELDS)}, "
            "one of the two days being ?, such as cron(0 20 * * ? *)"
        )
        return
    for (name, (low, high, names)), field in zip(FIELDS.items(), fields, strict=True):
        if field == "?" and name in SPECIAL:
            continue
        if not all(_cron_part(part, name, low, high, names) for part in field.upper().split(",")):
            yield f"{name} is {field!r}; use {low} to {high}, *, lists, ranges and steps"
    if (fields[2] == "?") == (fields[4] == "?"):
        yield "exactly one of day of the month and day of the week must be ?"


def _cron_part(part: str, name: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    if name in SPECIAL and re.fullmatch(SPECIAL[name], part):
        return True
    span, _, step = part.partition("/")
    if step and not (step.isdigit() and int(step) > 0):
        return False
    if span == "*":
        return True
    numbers = [names.index(end) + low if end in names else int(end) if end.isdigit() else -1 for end in span.split("-")]
    return len(numbers) <= 2 and all(low <= number <= high for number in numbers) and numbers == sorted(numbers)


def _rate(text: str) -> Iterator[str]:
    match = re.fullmatch(r"([1-9]\d*) (minute|hour|day)(s?)", text)
    if match is None or (match[1] == "1") == (match[3] == "s"):
        yield "use a number and a unit, such as rate(1 day) or rate(12 hours)"


def _at(text: str) -> Iterator[str]:
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zoneinfo.ZoneInfo("UTC"))
    except ValueError:
        yield "use a moment such as at(2027-01-31T20:00:00)"
