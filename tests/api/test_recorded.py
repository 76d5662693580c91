"""The shipped table's answers, held against what the service answered when it was written for this table alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.running import Service

CALIFORNIA = Path(__file__).with_name("california")
RECORDED: list[dict[str, Any]] = json.loads((CALIFORNIA / "answers.json").read_text())
ADDED = {"vary"}
"""Headers that answers have had since."""


def told(answer: httpx.Response) -> tuple[int, dict[str, str], str]:
    """Status, headers and body, but for what differs from request to request."""
    headers = {name: answer.headers[name] for name in answer.headers if name not in {"date", "content-length"} | ADDED}
    identity = headers.pop("x-request-id")
    if "allow" in headers:
        # Litestar names the methods in any order.
        headers["allow"] = ", ".join(sorted(headers["allow"].split(", ")))
    return answer.status_code, headers, answer.text.replace(f'"{identity}"', '""')


def shape(value: Any) -> Any:
    """A document with its numbers, which are another model's, left out; the names and the order of its fields stay."""
    if isinstance(value, dict):
        return [(name, shape(each)) for name, each in value.items()]
    if isinstance(value, list):
        return [shape(each) for each in value]
    return "number" if isinstance(value, float) else value


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda each: f"{each['method']} {each['path']} {each['status']}")
def test_answers_as_it_always_did(service: Service, recorded: dict[str, Any]) -> None:
    """Refusals are the recorded ones byte for byte; answers have the same fields, in the same order, and headers."""
    headers = {"content-type": recorded["content_type"]} if "content" in recorded else {}
    with service.client(headers=headers) as client:
        answer = client.request(recorded["method"], recorded["path"], content=recorded.get("content"))
    status, headers, body = told(answer)
    assert (status, headers) == (recorded["status"], recorded["headers"])
    if status == 200 and body.strip():
        assert shape(json.loads(body)) == shape(json.loads(recorded["body"]))
    else:
        assert body == recorded["body"]


CHANGED = {
    "/components/schemas/ModelDescription/properties/interval_half_width",
    "/components/schemas/ModelDescription/properties/bounds/description",
    "/components/schemas/ModelDescription/properties/bounds/additionalProperties/items",
    "/components/schemas/ModelDescription/properties/ranges/additionalProperties/items",
    "/components/schemas/ModelDescription/required",
}
"""Intervals follow the prediction, so no one width is told; bounds and ranges may be open."""


def changes(old: Any, new: Any, place: str = "") -> Iterator[str]:
    """Where a document no longer says what it said; what it says besides, and the words of examples, do not count."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name, each in old.items():
            if name == "examples":
                continue
            if name in new:
                yield from changes(each, new[name], f"{place}/{name}")
            else:
                yield f"{place}/{name}" if name != "type" else place
    elif old != new:
        yield place


def test_openapi_document_says_what_it_said(service: Service) -> None:
    """Each path, parameter, body, field, bound, unit and text of the recorded document stands in today's."""
    with service.client() as client:
        today = client.get("/docs/openapi.json").json()
    assert set(changes(json.loads((CALIFORNIA / "openapi.json").read_text()), today)) == CHANGED
