"""What is wrong with a body that is JSON and breaks the feature schema: every field, what was sent, what is allowed."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from api.answers.bodies import MAX_BATCH_ROWS, Batch
from api.http.problems import UNREADABLE, Fault, ProblemError, malformed
from api.model.schema import BOUNDS, Features

MAX_FAULTS = 50
MAX_SHOWN = 64


class _Expected(NamedTuple):
    type: Any
    allowed: str


_EXPECTED = {
    field.name: _Expected(field.type, "a number from {:.10g} to {:.10g}".format(*BOUNDS[field.name]))
    for field in msgspec.structs.fields(Features)
}
_NAMES = ", ".join(_EXPECTED)


def invalid(body: bytes, schema: type, error: msgspec.ValidationError) -> ProblemError:
    """422 for JSON that breaks the schema `Features` or `Batch`, with every wrong field that can be found.

    400 if what follows the first wrong field is not JSON at all.
    """
    try:
        sent = msgspec.json.decode(body)
    except msgspec.ValidationError:
        # A number that no float holds: only the typed decoder says where.
        faults = [_located(error)]
    except UNREADABLE as unreadable:
        return malformed(body, unreadable)
    else:
        faults = list(islice(_batch_faults(sent) if schema is Batch else _row_faults(sent, ""), MAX_FAULTS))
    faults = faults or [_located(error)]
    return ProblemError(422, f"The body breaks the schema: {_summary(faults)}.", faults)


def _located(error: msgspec.ValidationError) -> Fault:
    """The one fault that a decoder's message names, as in: Number out of range - at `$.rows[3].MedInc`."""
    problem, _, place = str(error).partition(" - at `$")
    field = place.strip("`.")
    expected = _EXPECTED.get(field.rpartition(".")[2])
    return Fault(field=field, problem=problem, allowed=expected.allowed if expected else "")


def _summary(faults: list[Fault]) -> str:
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{first.field}: {first.problem}{more}" if first.field else f"{first.problem}{more}"


def _batch_faults(sent: Any) -> Iterator[Fault]:
    if not isinstance(sent, dict) or set(sent) != {"rows"} or not isinstance(sent["rows"], list):
        yield Fault(field="rows", problem="expected an object with one field, rows: a list of block groups")
    elif not 1 <= len(sent["rows"]) <= MAX_BATCH_ROWS:
        yield Fault(
            field="rows",
            problem="too few or too many rows",
            value=str(len(sent["rows"])),
            allowed=f"1 to {MAX_BATCH_ROWS}",
        )
    else:
        for i, row in enumerate(sent["rows"]):
            yield from _row_faults(row, f"rows[{i}].")


def _row_faults(sent: Any, prefix: str) -> Iterator[Fault]:
    if not isinstance(sent, dict):
        problem = "expected an object with the eight features"
        yield Fault(field=prefix.rstrip("."), problem=problem, value=_shown(sent))
        return
    for name, expected in _EXPECTED.items():
        if name not in sent:
            yield Fault(field=prefix + name, problem="missing", allowed=expected.allowed)
            continue
        try:
            msgspec.convert(sent[name], expected.type)
        except msgspec.ValidationError as error:
            problem = str(error)
            yield Fault(field=prefix + name, problem=problem, value=_shown(sent[name]), allowed=expected.allowed)
    for name in sent:
        if name not in _EXPECTED:
            yield Fault(field=prefix + name[:MAX_SHOWN], problem="unknown field", allowed=_NAMES)


def _shown(value: Any) -> str:
    """What was sent, cut short; of anything but a scalar only its kind, which costs nothing to say."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else f"an array of {len(value)}"
    text = msgspec.json.encode(value[:MAX_SHOWN] if isinstance(value, str) else value).decode()
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."
