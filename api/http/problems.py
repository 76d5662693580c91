"""Problem documents (RFC 9457): every refusal names what is wrong, what was sent, and what is allowed."""

from typing import Annotated

import msgspec
from msgspec import Meta

PROBLEM_JSON = b"application/problem+json"

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
            description="Where, such as `area` or `rows[3].area`; empty for the body as a whole.",
            examples=["area"],
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


# What makes a body no JSON although it looks like some, and what to do.
_HINTS = {
    b"NaN": "JSON has no NaN: send finite numbers.",
    b"Infinity": "JSON has no Infinity: send finite numbers.",
    b"\xef\xbb\xbf": "It begins with a byte order mark: send none.",
    b"\\ud": "Half a surrogate pair is not a character.",
}


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
