"""What is wrong with a body that is JSON and breaks the schema: every field, what was sent, what is allowed."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from api.http.problems import UNREADABLE, Fault, ProblemError, malformed
from api.rows.fields import Field, in_words, listed

MAX_BATCH_BODY_BYTES = 8 * 2**20
"""Ten thousand rows, written with generous white space."""

MAX_BATCH_ROWS = 10_000
MAX_FAULTS = 50
MAX_SHOWN = 64


class Faults:
    """Finds all faults of rows with these fields; `rows` is what people call several rows.

    `unknown` is told the field's name of each text that is none of its categories.
    """

    def __init__(self, fields: Sequence[Field], rows: str, unknown: Callable[[str], None]) -> None:
        self.fields = {field.name: field for field in fields}
        self.rows = rows
        self.unknown = unknown
        self.whole = f"the {in_words(len(fields))} feature{'s' if len(fields) != 1 else ''}"
        self.names = listed(list(self.fields))

    def invalid(self, body: bytes, error: msgspec.ValidationError, *, batch: bool) -> ProblemError:
        """422 for JSON that breaks the schema of a row, or of a batch, with every wrong field that can be found.

        400 if what follows the first wrong field is not JSON at all.
        """
        try:
            sent = msgspec.json.decode(body)
        except msgspec.ValidationError:
            # A number that no float holds: only the typed decoder says where.
            return refusal([self._located(error)])
        except UNREADABLE as unreadable:
            return malformed(body, unreadable)
        return refusal(self.find(sent, batch=batch) or [self._located(error)])

    def find(self, sent: Any, *, batch: bool) -> list[Fault]:
        """The first faults of a decoded body; none if it is sound."""
        return list(islice(self._batch(sent) if batch else self._row(sent, ""), MAX_FAULTS))

    def twice(self) -> ProblemError:
        """422 for a field that is given more than once."""
        return ProblemError(422, f"A field is given more than once; send each of {self.whole} once.")

    def _located(self, error: msgspec.ValidationError) -> Fault:
        """The one fault that a decoder's message names, as in: Number out of range - at `$.rows[3].area`."""
        problem, _, place = str(error).partition(" - at `$")
        name = place.strip("`.")
        field = self.fields.get(name) or self.fields.get(name.partition("].")[2])
        return Fault(field=name, problem=problem, allowed=field.allowed if field else "")

    def _batch(self, sent: Any) -> Iterator[Fault]:
        if not isinstance(sent, dict) or set(sent) != {"rows"} or not isinstance(sent["rows"], list):
            yield Fault(field="rows", problem=f"expected an object with one field, rows: a list of {self.rows}")
        elif not 1 <= len(sent["rows"]) <= MAX_BATCH_ROWS:
            yield Fault(
                field="rows",
                problem="too few or too many rows",
                value=str(len(sent["rows"])),
                allowed=f"1 to {MAX_BATCH_ROWS}",
            )
        else:
            for i, row in enumerate(sent["rows"]):
                yield from self._row(row, f"rows[{i}].")

    def _row(self, sent: Any, prefix: str) -> Iterator[Fault]:
        if not isinstance(sent, dict):
            problem = f"expected an object with {self.whole}"
            yield Fault(field=prefix.rstrip("."), problem=problem, value=_shown(sent))
            return
        for name, field in self.fields.items():
            if name not in sent:
                if not field.optional:
                    yield Fault(field=prefix + name, problem="missing", allowed=field.allowed)
                continue
            try:
                msgspec.convert(sent[name], field.type)
            except msgspec.ValidationError as error:
                if field.codes and isinstance(sent[name], str):
                    self.unknown(name)
                yield Fault(field=prefix + name, problem=str(error), value=_shown(sent[name]), allowed=field.allowed)
        for name in sent:
            if name not in self.fields:
                yield Fault(field=prefix + name[:MAX_SHOWN], problem="unknown field", allowed=self.names)


def refusal(faults: list[Fault]) -> ProblemError:
    """422 that names these faults."""
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    summary = f"{first.field}: {first.problem}{more}" if first.field else f"{first.problem}{more}"
    return ProblemError(422, f"The body breaks the schema: {summary}.", faults)


def _shown(value: Any) -> str:
    """What was sent, cut short; of anything but a scalar only its kind, which costs nothing to say."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else f"an array of {len(value)}"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # of a file: JSON has none
    text = msgspec.json.encode(value[:MAX_SHOWN] if isinstance(value, str) else value).decode()
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."
