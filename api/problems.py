"""Problem documents (RFC 9457): every refusal names what is wrong, what was sent, and what is allowed."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from api.bodies import MAX_BATCH_ROWS, Batch
from api.schemas import BOUNDS, Features

PROBLEM_JSON = b"application/problem+json"
MAX_FAULTS = 50
MAX_SHOWN = 64

UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
"""What the decoder raises for bytes that are not JSON."""

TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
"""Written out, as Python's own phrases change between its versions and programs rely on the types made of them."""


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with a request body."""

    field: Annotated[
        str,
        Meta(
            description="Where, such as `MedInc` or `rows[3].MedInc`; empty for the body as a whole.",
            examples=["MedInc"],
        ),
    ]
    problem: Annotated[str, Meta(description="What is wrong.", examples=["Expected `float`, got `str`"])]
    value: Annotated[str, Meta(description="What was sent, cut short.", examples=['"8.3"'])] = ""
    allowed: Annotated[str, Meta(description="What may be sent.", examples=["a number from 0 to 100"])] = ""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Why a request was refused (RFC 9457)."""

    type: Annotated[
        str,
        Meta(
            description="Names the kind of problem; stable, so that programs can tell problems apart.",
            examples=["urn:problem:unprocessable-content"],
        ),
    ]
    title: Annotated[str, Meta(description="The kind of problem, in words.", examples=["Unprocessable Content"])]
    status: Annotated[int, Meta(description="The HTTP status.", examples=[422])]
    detail: Annotated[str, Meta(description="What is wrong and what to do.", examples=["A field is missing."])]
    errors: Annotated[list[Fault], Meta(description="Each wrong field, if fields are wrong.", examples=[[]])] = []
    request_id: Annotated[str, Meta(description="Finds the request in the service's log.", examples=["5f0c-2a"])] = ""


class ProblemError(Exception):
    """Ends a request with a problem document."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: list[Fault] | None = None,
        headers: list[tuple[bytes, bytes]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors or []
        self.headers = headers or []

    def document(self, request_id: str) -> Problem:
        """The document to answer with."""
        title = TITLES.get(self.status, "Error")
        kind = title.lower().replace(" ", "-")
        return Problem(
            type=f"urn:problem:{kind}",
            title=title,
            status=self.status,
            detail=self.detail,
            errors=self.errors,
            request_id=request_id,
        )


class _Expected(NamedTuple):
    type: Any
    allowed: str


_EXPECTED = {
    field.name: _Expected(field.type, "a number from {:.10g} to {:.10g}".format(*BOUNDS[field.name]))
    for field in msgspec.structs.fields(Features)
}

# What makes a body no JSON although it looks like some, and what to do.
_HINTS = {
    b"NaN": "JSON has no NaN: send finite numbers.",
    b"Infinity": "JSON has no Infinity: send finite numbers.",
    b"\xef\xbb\xbf": "It begins with a byte order mark: send none.",
    b"\\ud": "Half a surrogate pair is not a character.",
}
_NAMES = ", ".join(_EXPECTED)


def malformed(body: bytes, error: Exception) -> ProblemError:
    """400 for a body that is not JSON."""
    if not body.strip():
        return ProblemError(400, "The body is empty; send a JSON object.")
    if isinstance(error, RecursionError):
        return ProblemError(400, "The body is not valid JSON for this service: it is nested too deeply.")
    if isinstance(error, UnicodeDecodeError) or not _is_utf8(body):
        return ProblemError(400, "The body is not valid JSON: it is not UTF-8.")
    hints = [hint for sign, hint in _HINTS.items() if sign in body]
    return ProblemError(400, " ".join([f"The body is not valid JSON: {error}.", *hints]))


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


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
