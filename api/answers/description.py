"""`GET /schema`: the row, the answer and the map in words, of which the page at `/` is made."""

import json
from pathlib import Path
from typing import Any

import msgspec
from litestar import get
from litestar.datastructures import State

from api.model.model import Model
from api.model.schema import FEATURES, TARGET, TARGET_UNIT, Features

MAP: dict[str, Any] = json.loads((Path(__file__).parent / "california-map.json").read_text())
_SAID: dict[str, Any] = msgspec.json.schema_components([Features])[1]["Features"]["properties"]


@get("/schema", include_in_schema=False, sync_to_thread=False)
def describe_row(state: State) -> dict[str, Any]:
    """Title, features, target and map."""
    model: Model = state.model
    return {
        "title": "California Housing",
        "description": "Predicts the median value of the houses in a Californian block group, in dollars of 1990.",
        "row": "block group",
        "rows": "block groups",
        "features": [_feature(name, model.ranges.get(name)) for name in FEATURES],
        "target": {
            "name": TARGET,
            "answer": "median_house_value",
            "title": "Median house value",
            "unit": TARGET_UNIT,
            "kind": "number",
            "classes": [],
            "show": {"prefix": "$", "suffix": "", "factor": 100_000, "digits": 0},
        },
        "map": MAP,
    }


def _feature(name: str, seen: Any) -> dict[str, Any]:
    said = _SAID[name]
    return {
        "name": name,
        "title": said["title"],
        "description": said["description"].partition(" Bounds: ")[0],
        "unit": said["x-unit"],
        "kind": "number",
        "missing": False,
        "low": said["minimum"],
        "high": said["maximum"],
        "categories": [],
        "example": said["examples"][0],
        "range": seen,
    }
