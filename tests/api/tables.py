"""Small models of tables of every kind, published by hand, beside what XGBoost itself says of their rows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost

from api.store.manifest import IntervalBins
from api.store.schema import Feature, Schema, Target
from tests.models import publish, save
from tests.running import Service, start_service

ODD_NAMES = (
    "living area",
    "price/m² [€]",
    "a < b, c > d",
    'the "best"',
    "back\\slash",
    "Größe",
    "class",
    "self",
    "constructor",
    "__proto__",
    "a:b",
    "a.b",
    "rows",
    "value",
    "label",
    "Case",
    "case",
    "f0",
    "{x}",
    " blanks around ",
    "tab\tand\nline",
    "日本語 🏠",
    "model_version",
    "'",
    "`",
    "$.x[0]",
    "0",
    "%20",
    "#",
)
"""As people have them; XGBoost refuses three characters of these, and msgspec's decoder two."""

MANY = tuple(f"place {i}" for i in range(25))
"""More categories than a refusal lists."""

KINDS = (
    Feature(name="size", title="Size", unit="m²", low=-100, high=100, reason="so it was measured", example=1.5),
    Feature(name="rooms", kind="integer", low=0, high=60, example=3),
    Feature(name="anything"),
    Feature(name="age", missing=True, example=0.25),
    Feature(name="floors", kind="integer", missing=True),
    Feature(name="new", kind="boolean", example=True),
    Feature(name="heated", kind="boolean", missing=True),
    Feature(name="place", kind="category", categories=MANY, example="place 3"),
    Feature(name="view", kind="category", categories=("sea", "hill", "none"), missing=True),
)

TABLES = {
    schema.name: (schema, objective)
    for schema, objective in (
        (
            Schema(
                name="claims",
                row="claim",
                features=KINDS,
                target=Target(name="cost", answer="expected_cost", unit="EUR", low=0),
            ),
            "reg:gamma",
        ),
        (
            Schema(name="churn", features=KINDS, target=Target(name="left", kind="boolean", classes=("no", "yes"))),
            "binary:logistic",
        ),
        (
            Schema(
                name="species",
                features=(
                    *KINDS[:-1],
                    Feature(
                        name="view", kind="category", categories=("a: b", 'the "sea"', "c\\d", "ü, v"), missing=True
                    ),
                ),
                target=Target(name="species", kind="category", classes=("setosa", 'the "other" one', "é: 3", "self")),
            ),
            "multi:softprob",
        ),
        (
            Schema(
                name="odd",
                features=tuple(Feature(name=name) for name in ODD_NAMES),
                target=Target(name='the "price" [€]', answer="value"),
            ),
            "reg:squarederror",
        ),
        (
            Schema(
                name="colons",
                features=tuple(
                    Feature(name=name, missing=i % 2 == 0) for i, name in enumerate(("a:b", "::", "c", "d"))
                ),
                target=Target(name="a:b:c", kind="category", classes=("1", "2", "3")),
            ),
            "multi:softprob",
        ),
        (
            Schema(
                name="wide",
                features=tuple(Feature(name=f"column {i}", missing=i % 3 == 0) for i in range(200)),
                target=Target(name="count"),
            ),
            "count:poisson",
        ),
    )
}


@dataclass
class Table:
    """A table whose model is served."""

    schema: Schema
    booster: xgboost.Booster
    frame: pd.DataFrame
    """Its rows, under the features' names, categories as pandas has them."""
    folder: Path

    def matrix(self) -> xgboost.DMatrix:
        """The rows for the booster."""
        unnamed = self.frame.set_axis(range(self.frame.shape[1]), axis=1)
        return xgboost.DMatrix(self.frame if self.booster.feature_names else unnamed, enable_categorical=True)

    def predicted(self) -> npt.NDArray[np.float32]:
        """What XGBoost predicts: shape (n, outputs)."""
        return np.asarray(self.booster.predict(self.matrix())).reshape(len(self.frame), -1)

    def bodies(self) -> list[dict[str, Any]]:
        """The rows as a client sends them: of two missing values one is null, one left out."""
        rows = []
        for i, row in enumerate(self.frame.astype(object).to_dict("records")):
            sent = {str(name): None if pd.isna(value) else value for name, value in row.items()}
            rows.append(
                {name: value for j, (name, value) in enumerate(sent.items()) if value is not None or (i + j) % 2}
            )
        return rows

    def values(self, items: list[dict[str, Any]]) -> npt.NDArray[np.float32]:
        """The numbers or probabilities of answers: shape (n, outputs)."""
        target = self.schema.target
        if target.kind == "number":
            return np.array([[item[target.answer]] for item in items], np.float32)
        if target.kind == "boolean":
            return np.array([[item["probabilities"][target.classes[1]]] for item in items], np.float32)
        return np.array([list(item["probabilities"].values()) for item in items], np.float32)


class ServedTable(NamedTuple):
    """A table, and the service of its model."""

    table: Table
    service: Service


def frame_of(schema: Schema, rows: int = 60, seed: int = 1) -> pd.DataFrame:
    """Random rows, every fourth value missing where it may be."""
    draw = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for feature in schema.features:
        absent = (draw.random(rows) < 0.25) & feature.missing
        match feature.kind:
            case "number":
                columns[feature.name] = pd.Series(np.where(absent, np.nan, draw.normal(0, 3, rows)))
            case "integer":
                values = pd.Series(draw.integers(0, 50, rows))
                columns[feature.name] = values.astype("Int64").mask(absent) if feature.missing else values
            case "boolean":
                yes_no = pd.Series(draw.random(rows) < 0.5)
                columns[feature.name] = yes_no.astype("boolean").mask(absent) if feature.missing else yes_no
            case "category":
                codes = draw.permutation(np.arange(rows) % len(feature.categories))
                chosen = [
                    None if missing else feature.categories[code] for code, missing in zip(codes, absent, strict=True)
                ]
                columns[feature.name] = pd.Categorical(chosen, categories=list(feature.categories))
    return pd.DataFrame(columns)


def fitted(frame: pd.DataFrame, objective: str, classes: int = 0, *, named: bool = True) -> xgboost.Booster:
    """A booster of some trees that ask for every kind of feature."""
    unnamed = frame.set_axis(range(frame.shape[1]), axis=1)
    draw = np.random.default_rng(2)
    signal = sum(
        (column.cat.codes if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("float64").fillna(4))
        * weight
        for weight, (_, column) in zip(draw.normal(size=frame.shape[1]), unnamed.items(), strict=True)
    )
    ranks = np.argsort(np.argsort(np.asarray(signal)))
    label = ranks % 7 + 1 if not classes else ranks * classes // len(ranks)
    matrix = xgboost.DMatrix(frame if named else unnamed, label, enable_categorical=True)
    parameters = {"objective": objective, "max_depth": 4, "min_child_weight": 0, "nthread": 1, "max_cat_to_onehot": 2}
    if classes > 2:
        parameters["num_class"] = classes
    booster = xgboost.train(parameters, matrix, 8)
    if not named:
        booster.feature_names = None
    return booster


def publish_table(name: str, folder: Path) -> Table:
    """Fit and publish one of `TABLES`."""
    schema, objective = TABLES[name]
    frame = frame_of(schema)
    odd = any(character in feature for feature in schema.names for character in "[]<")
    booster = fitted(frame, objective, len(schema.target.classes), named=not odd)
    save(booster, folder)
    table = Table(schema, booster, frame, folder)
    bins = IntervalBins([2.0], [0.5, 1.0], [1.0, 2.0]) if schema.target.kind == "number" else None
    rows = frame if not odd else frame.set_axis(range(frame.shape[1]), axis=1)
    publish(folder, schema, rows, booster=booster, interval=bins, label_threshold=None if bins else 0.2)
    return table


def served(folder: Path, **environment: str) -> Service:
    """A service of a model directory."""
    service = start_service(folder.with_name(f"{folder.name}.log"), MODEL_PATH=str(folder), **environment)
    assert service.url, service.log.read_text()
    return service
