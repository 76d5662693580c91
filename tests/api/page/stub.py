"""A service that answers what any described table would: the page's own files, and predictions made of hashes.

Every number that it answers depends on every value that it was sent, so a value lost or changed on the way shows.
"""

import contextlib
import json
import socket
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from math import exp
from pathlib import Path
from typing import Any

import uvicorn
from litestar import Litestar, Request, Response, get, post

from api.answers.pages import pages
from api.http.problems import Fault, ProblemError

HERE = Path(__file__).parent


def described(name: str) -> dict[str, Any]:
    """One of the descriptions that lie here, such as `california`."""
    description: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text())
    return description


def wide(features: int) -> dict[str, Any]:
    """A table of so many columns: numbers, whole numbers, categories and booleans by turns, some of them missing."""
    kinds = ("number", "integer", "category", "boolean")
    return {
        "title": "Wide",
        "description": f"A table of {features} columns.",
        "row": "part",
        "rows": "parts",
        "features": [
            {
                "name": f"column {i}",
                "title": f"Sensor {i}",
                "description": f"What sensor {i} says, of kind {kinds[i % 4]}.",
                "unit": "mm" if i % 4 < 2 else "",
                "kind": kinds[i % 4],
                "missing": i % 3 == 0,
                "low": -100.0 if i % 4 < 2 else None,
                "high": 100.0 if i % 4 < 2 else None,
                "categories": [f"grade {grade}" for grade in range(i % 40 + 1)] if i % 4 == 2 else [],
                "example": (0.5 + i / 10, i % 90, "grade 0", True)[i % 4],
                "range": [-50.0, 50.0] if i % 4 < 2 else None,
            }
            for i in range(features)
        ],
        "target": {
            "name": "strength",
            "answer": "strength",
            "title": "Strength",
            "unit": "MPa",
            "kind": "number",
            "classes": [],
            "show": None,
        },
        "map": None,
    }


@dataclass
class Stub:
    """A running stub, and what it has been sent and has answered."""

    description: dict[str, Any]
    key: str
    url: str = ""
    behind_a_broken_proxy: bool = False
    asked: int = 0
    """How often which model serves."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, row: dict[str, Any]) -> dict[str, Any]:
        """What `POST /explain` answers to a row.

        Raises:
            ProblemError: the row breaks the description.
        """
        features, target = self.description["features"], self.description["target"]
        allowed = {feature["name"]: _allowed(feature) for feature in features}
        faults = [Fault(name, "unknown field", allowed="none of it") for name in row if name not in allowed]
        faults += [Fault(f["name"], "not allowed", allowed=allowed[f["name"]]) for f in features if not _fits(f, row)]
        if faults:
            raise ProblemError(422, "The body breaks the schema.", faults)
        pushes = {f["name"]: _hash(f["name"], row.get(f["name"])) for f in features}
        common = {
            "extrapolated": [f["name"] for f in features if _beyond(f, row)],
            "base_value": 4.0,
            "contributions": pushes,
            "model_version": "7",
        }
        if target["kind"] == "number":
            value = 4.0 + sum(pushes.values())
            interval = {"low": value - 0.75, "high": value + 1.25}
            return {target["answer"]: value, "unit": target["unit"], "interval": interval, **common}
        names = ["no", "yes"] if target["kind"] == "boolean" else target["classes"]
        scores = [exp(3 * _hash(name, row)) for name in names]
        ranked = sorted(zip(names, scores, strict=True), key=lambda pair: -pair[1])
        shares = {name: score / sum(scores) for name, score in ranked}
        before = accumulate(shares.values(), initial=0.0)
        label: Any = ranked[0][0] == "yes" if target["kind"] == "boolean" else ranked[0][0]
        return {
            target["answer"]: label,
            "label": label,
            "probabilities": shares,
            "set": [name for name, reached in zip(shares, before, strict=False) if reached < 0.9],
            "contributions_unit": "raw score",
            **common,
        }


def _hash(*values: Any) -> float:
    """A number from -0.5 to 0.5."""
    return zlib.crc32(json.dumps(values, sort_keys=True).encode()) / 2**32 - 0.5


def _fits(feature: dict[str, Any], row: dict[str, Any]) -> bool:
    value = row.get(feature["name"])
    if value is None:
        return feature["missing"] and feature["name"] not in row
    if feature["kind"] == "category":
        return value in feature["categories"]
    if feature["kind"] == "boolean" or isinstance(value, bool):
        return feature["kind"] == "boolean" and isinstance(value, bool)
    if not isinstance(value, int if feature["kind"] == "integer" else int | float):
        return False
    low, high = feature["low"], feature["high"]
    return (low is None or value >= low) and (high is None or value <= high)


def _allowed(feature: dict[str, Any]) -> str:
    bounds = [
        f"{word} {feature[end]:.10g}" for word, end in (("from", "low"), ("to", "high")) if feature[end] is not None
    ]
    kinds = {
        "number": " ".join(["a number", *bounds]),
        "integer": " ".join(["a whole number", *bounds]),
        "boolean": "true or false",
        "category": f"one of {', '.join(feature['categories'][:20])}",
    }
    return kinds[feature["kind"]]


def _beyond(feature: dict[str, Any], row: dict[str, Any]) -> bool:
    value, seen = row.get(feature["name"]), feature["range"]
    return seen is not None and value is not None and not seen[0] <= value <= seen[1]


def _live(stub: Stub) -> dict[str, Any]:
    """An hour with few rows, and a long time in which each feature has moved farther than the one before it."""
    names = [feature["name"] for feature in stub.description["features"]]
    shares = {"extrapolated": 0.125, "missing": 0.0, "unknown_category": 0.0005}
    counts = {"requests": 1234 + stub.asked, "refused": 34, "failed": 5, "rows": 120_000}
    return {
        "since": "2026-01-31T08:32:10+00:00",
        "last_hour": {
            **counts,
            **shares,
            "prediction_drift": None,
            "features": {name: {"drift": None, **shares} for name in names},
        },
        "since_start": {
            **counts,
            **shares,
            "prediction_drift": 0.05,
            "features": {name: {"drift": i / 20, **shares} for i, name in enumerate(names)},
        },
    }


def _app(stub: Stub) -> Litestar:
    @get("/model", sync_to_thread=False)
    def model() -> dict[str, Any]:
        stub.asked += 1
        return {"name": "described", "version": "7", "live": _live(stub)}

    @post("/explain", status_code=200)
    async def explain(request: Request[Any, Any, Any]) -> Response[Any]:
        if stub.behind_a_broken_proxy:
            return Response("<h1>Bad Gateway</h1>", status_code=502, media_type="text/html")
        if stub.key and request.headers.get("x-api-key") != stub.key:
            return _refuse(ProblemError(401, "An API key is required."))
        row = json.loads(await request.body())
        stub.bodies.append(row)
        try:
            answer = stub.answer(row)
        except ProblemError as problem:
            return _refuse(problem)
        stub.answers.append(answer)
        return Response(answer)

    handlers = [model, explain, *pages(json.dumps(stub.description).encode())]
    return Litestar(handlers, openapi_config=None, logging_config=None)


def _refuse(problem: ProblemError) -> Response[Any]:
    return Response(problem.document("stub-1"), status_code=problem.status)


@contextlib.contextmanager
def serving(description: dict[str, Any], key: str = "") -> Iterator[Stub]:
    """A stub of a service for this description, on a free port; with a key, `/explain` asks for it."""
    stub = Stub(description, key)
    server = uvicorn.Server(uvicorn.Config(_app(stub), log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stub.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield stub
        finally:
            server.should_exit = True
            thread.join()
