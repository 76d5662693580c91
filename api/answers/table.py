"""What the page at `/` is made of: the schema in full, and what the model has seen."""

from typing import Any

import msgspec

from api.model.model import Model


def table_document(model: Model) -> bytes:
    """Title, features, target and map, as JSON."""
    schema = model.schema
    features = [
        {
            "name": feature.name,
            "title": feature.label,
            "description": feature.description,
            "unit": feature.unit,
            "kind": feature.kind,
            "missing": feature.missing,
            "low": feature.low,
            "high": feature.high,
            "categories": feature.categories,
            "example": feature.example,
            "range": model.ranges.get(feature.name),
        }
        for feature in schema.features
    ]
    target: dict[str, Any] = {
        "name": schema.target.name,
        "answer": schema.target.answer,
        "title": schema.target.label,
        "unit": schema.target.unit,
        "kind": schema.target.kind,
        "classes": schema.target.classes,
        "show": _whole(schema.target.show),
    }
    return msgspec.json.encode(
        {
            "title": schema.page.title or schema.heading,
            "description": schema.page.description or schema.description,
            "row": schema.row,
            "rows": schema.plural,
            "features": features,
            "target": target,
            "map": _whole(schema.page.map),
        }
    )


def _whole(part: msgspec.Struct | None) -> dict[str, Any] | None:
    """Every field, those that have their default value too."""
    return None if part is None else msgspec.structs.asdict(part)
