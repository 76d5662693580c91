"""The schema of a model that nobody published: what MLflow's signature and XGBoost's own file say of it."""

import logging

from api.errors import ModelRefused
from api.model.agreement import known_categories
from api.store.mlmodel import MLMODEL, Column, MLmodel, signature_columns
from api.store.schema import Feature, Kind, Schema, Target
from api.trees.walk import Trees

log = logging.getLogger(__name__)

_KINDS: dict[str, Kind] = {
    "double": "number",
    "float": "number",
    "long": "integer",
    "integer": "integer",
    "boolean": "boolean",
}

_TYPES = {"i": "boolean"}
"""MLflow's type for XGBoost's own, of a column that was yes or no; whole numbers are taken for any."""

CATEGORICAL = "c"
"""XGBoost's type of a feature that is split by category."""


def plain_schema(trees: Trees, mlmodel: MLmodel) -> Schema:
    """Names, types and what may be missing; without a signature the booster's own names, all of which may be.

    Raises:
        ModelRefused: a column's type is not covered, or the values of a category are not known.
    """
    columns = signature_columns(mlmodel)
    names = [column.name for column in columns] or trees.feature_names
    if not names:
        names = [f"f{i}" for i in range(trees.n_features)]
        log.warning("the model does not name its columns: they are taken to be f0 to f%d", len(names) - 1)
    types = trees.feature_types or [""] * trees.n_features
    columns = columns or [
        Column(name, _TYPES.get(kind, "double"), required=False) for name, kind in zip(names, types, strict=False)
    ]
    if len(columns) != trees.n_features:
        raise ModelRefused(
            f"{MLMODEL}'s signature has {len(columns)} columns; the model has {trees.n_features} features"
        )
    categories = [known_categories(trees, i) for i in range(len(columns))]
    features = [_feature(column, kind, known) for column, kind, known in zip(columns, types, categories, strict=True)]
    return Schema(name=NAME, features=tuple(features), target=_target(trees))


NAME = "model"
"""A model that nobody published has no name of its own."""


def _feature(column: Column, kind: str, categories: tuple[str, ...]) -> Feature:
    if kind == CATEGORICAL:
        if not categories:
            raise ModelRefused(
                f"the model splits {column.name!r} by category, and its file does not name the categories (XGBoost "
                "does since 3.1): publish it with `python -m training adopt`, or train with a newer XGBoost"
            )
        return Feature(name=column.name, kind="category", categories=categories, missing=not column.required)
    if column.type not in _KINDS:
        raise ModelRefused(
            f"{MLMODEL}'s signature gives {column.name!r} the type {column.type!r}, which is not covered"
        )
    return Feature(name=column.name, kind=_KINDS[column.type], missing=not column.required)


def _target(trees: Trees) -> Target:
    classes = tuple(str(code) for code in range(trees.n_classes))
    return Target(name="prediction", kind=trees.objective.kind, classes=classes)
