"""Problem documents (RFC 9457): every refusal names what is wrong, what was sent, and what is allowed."""

import http
from typing import Any, NamedTuple

import msgspec

from api.schemas import BOUNDS, MAX_BATCH_ROWS, Batch, Features

PROBLEM_JSON = b"application/problem+json"
MAX_FAULTS = 50


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with a request body."""

    field: str
    """Where, such as `MedInc` or `rows[3].MedInc`; empty for the body as a whole."""
    problem: str
    value: str = ""
    """What was sent, cut short."""
    allowed: str = ""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Why a request was refused (RFC 9457)."""

    type: str
    """Names the kind of problem; stable, so that programs can tell problems apart."""
    title: str
    status: int
    detail: str
    errors: list[Fault] = []
    request_id: str = ""


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
        title = http.HTTPStatus(self.status).phrase
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


def malformed(body: bytes, error: Exception) -> ProblemError:
    """400 for a body that is not JSON."""
    if not body.strip():
        return ProblemError(400, "The body is empty; send a JSON object with the eight features.")
    hint = ""
    if any(literal in body for literal in (b"NaN", b"Infinity")):
        hint = " JSON has no NaN or Infinity: send finite numbers."
    return ProblemError(400, f"The body is not valid JSON: {error}.{hint}")


def invalid(body: bytes, schema: type, error: msgspec.ValidationError) -> ProblemError:
    """422 for JSON that breaks the schema `Features` or `Batch`, with every wrong field that can be found."""
    try:
        sent = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        faults = []
    else:
        faults = list(_batch_faults(sent) if schema is Batch else _row_faults(sent, ""))
    faults = faults[:MAX_FAULTS] or [Fault(field="", problem=str(error))]
    return ProblemError(422, f"The body breaks the schema: {_summary(faults)}.", faults)


def _summary(faults: list[Fault]) -> str:
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{first.field}: {first.problem}{more}" if first.field else f"{first.problem}{more}"


def _batch_faults(sent: Any) -> list[Fault]:
    if not isinstance(sent, dict) or set(sent) != {"rows"} or not isinstance(sent["rows"], list):
        return [Fault(field="rows", problem="expected an object with one field, rows: a list of block groups")]
    if not 1 <= len(sent["rows"]) <= MAX_BATCH_ROWS:
        return [
            Fault(
                field="rows",
                problem="too few or too many rows",
                value=str(len(sent["rows"])),
                allowed=f"1 to {MAX_BATCH_ROWS}",
            )
        ]
    faults: list[Fault] = []
    for i, row in enumerate(sent["rows"]):
        faults += _row_faults(row, f"rows[{i}].")
        if len(faults) >= MAX_FAULTS:
            break
    return faults


def _row_faults(sent: Any, prefix: str) -> list[Fault]:
    if not isinstance(sent, dict):
        return [
            Fault(field=prefix.rstrip("."), problem="expected an object with the eight features", value=_shown(sent))
        ]
    faults = []
    for name, expected in _EXPECTED.items():
        if name not in sent:
            faults.append(Fault(field=prefix + name, problem="missing", allowed=expected.allowed))
            continue
        try:
            msgspec.convert(sent[name], expected.type)
        except msgspec.ValidationError as error:
            faults.append(
                Fault(field=prefix + name, problem=str(error), value=_shown(sent[name]), allowed=expected.allowed)
            )
    faults += [
        Fault(field=prefix + name[:64], problem="unknown field", allowed=", ".join(_EXPECTED))
        for name in sent
        if name not in _EXPECTED
    ]
    return faults


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode(errors="replace")
    return text if len(text) <= 64 else f"{text[:61]}..."
