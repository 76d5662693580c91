"""What a POST endpoint does, and beside it what the OpenAPI document says of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from litestar.types import HTTPScope, Receive

from api.http.front import DirectOperation
from api.http.messages import Reply
from api.http.problems import PROBLEM_JSON, ProblemError

Answer = Callable[[HTTPScope, Receive], Awaitable[Reply]]

_REFERENCE = "#/components/schemas/{}"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A path that answers POST with JSON."""

    path: str
    answer: Answer
    direct: DirectOperation | None = None
    """The same for requests that have arrived whole, without a task for each."""
    operation_id: str
    summary: str
    description: str
    reads: type[msgspec.Struct]
    writes: type[msgspec.Struct]
    answered: str
    """What a 200 is."""
    limit: int
    """Bytes of the body."""
    refused: ProblemError
    """How a body that breaks the schema is refused, for example."""
    tag: str = "predictions"
    content: dict[str, Any] = field(default_factory=dict)
    """The media types of the body, where they are more than JSON as `reads` says."""
    responses: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Refusals that differ from the usual ones."""

    def operation(self) -> dict[str, Any]:
        """The operation object of the OpenAPI document."""
        refusals = {**_refusals(self.limit, self.refused), **self.responses}
        return {
            "tags": [self.tag],
            "summary": self.summary,
            "description": self.description,
            "operationId": self.operation_id,
            "requestBody": {
                "content": self.content or {"application/json": {"schema": reference(self.reads)}},
                "required": True,
            },
            "responses": {
                "200": {
                    "description": self.answered,
                    "headers": {},
                    "content": {"application/json": {"schema": reference(self.writes)}},
                },
                **{str(status): refusals[status] for status in sorted(refusals)},
            },
            "deprecated": False,
        }


def reference(body: type[msgspec.Struct]) -> dict[str, str]:
    """Where the document describes a type of body."""
    return {"$ref": _REFERENCE.format(body.__name__)}


def response(description: str, media_type: str, schema: dict[str, Any], example: Any) -> dict[str, Any]:
    """A response object with one example."""
    content = {"schema": schema, "examples": {"example": {"value": example}}}
    return {"description": description, "content": {media_type: content}}


def _refusal(description: str, problem: ProblemError) -> dict[str, Any]:
    document = msgspec.to_builtins(problem.document("463b35bc7914-2"))
    return response(description, PROBLEM_JSON.decode(), {"$ref": _REFERENCE.format("Problem")}, document)


def _refusals(limit: int, refused: ProblemError) -> dict[int, dict[str, Any]]:
    """The refusals of an operation whose body has at most `limit` bytes."""
    return {
        400: _refusal("The body is not JSON.", ProblemError(400, "The body is empty; send a JSON object.")),
        401: _refusal(
            "The service asks for an API key, and none or a wrong one was sent.",
            ProblemError(401, "An API key is required: send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`."),
        ),
        413: _refusal(
            f"The body is larger than {limit:,} bytes.", ProblemError(413, f"The body is larger than {limit} bytes.")
        ),
        415: _refusal(
            "The body is not application/json in UTF-8, or it is compressed.",
            ProblemError(415, "Content-Type 'text/plain' is not supported; send application/json."),
        ),
        422: _refusal("The body is JSON and breaks the schema: every wrong field is named.", refused),
        500: _refusal("The model failed.", ProblemError(500, "The service failed to answer.")),
        503: _refusal(
            "Too many requests are waiting; `retry-after` says for how many seconds to wait.",
            ProblemError(503, "Too many requests are waiting; try again."),
        ),
    }
