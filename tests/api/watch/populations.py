"""Made-up populations of a small table, and a model whose manifest says how its training rows were distributed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost

from api.model.model import Model
from api.store.fetch import fetch
from api.store.opening import open_store
from api.store.schema import Feature, Schema, Target
from tests.api.tables import fitted
from tests.models import publish, save
from training.fitting.distribution import distribution, ranges

TOWNS = ("north", "south", "east", "west", "elsewhere")
SCHEMA = Schema(
    name="watched",
    features=(
        Feature(name="Größe", missing=True, example=50.0),
        Feature(name="rooms", kind="integer", low=0, example=3),
        Feature(name="new", kind="boolean", example=True),
        Feature(name="town", kind="category", categories=TOWNS, example="north"),
    ),
    target=Target(name="price", answer="price", unit="EUR"),
)


def frame_of(draw: np.random.Generator, rows: int, larger: float = 1.0, northern: float = 0.4) -> pd.DataFrame:
    """Rows of the population as it was in training, or with larger houses, or with another share in the north."""
    size = np.where(draw.random(rows) < 0.1, np.nan, draw.lognormal(4, 0.5, rows) * larger)
    others = (1 - northern) / (len(TOWNS) - 1)
    towns = draw.choice(TOWNS, rows, p=[northern, *[others] * (len(TOWNS) - 1)])
    return pd.DataFrame(
        {
            "Größe": size,
            "rooms": draw.poisson(4, rows).astype("int64"),
            "new": draw.random(rows) < 0.3,
            "town": pd.Categorical(towns, categories=list(TOWNS)),
        }
    )


def rows_of(frame: pd.DataFrame) -> npt.NDArray[np.float32]:
    """The frame in the model's own numbers."""
    return frame.assign(town=frame["town"].cat.codes).to_numpy(np.float32)


def bodies(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The frame's rows as a client sends them."""
    for row in frame.astype(object).to_dict("records"):
        yield {str(name): None if pd.isna(value) else value for name, value in row.items()}


def in_each_protocol(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The rows as bodies, by the path of each protocol that takes several."""
    kinds = {"Größe": "FP64", "rooms": "INT64", "new": "BOOL", "town": "BYTES"}
    tensors = [
        {"name": name, "datatype": kind, "shape": [len(rows)], "data": [row[name] for row in rows]}
        for name, kind in kinds.items()
    ]
    return {
        "/predict/batch": {"rows": rows},
        "/invocations": {"dataframe_records": rows},
        f"/v2/models/{SCHEMA.name}/infer": {"inputs": tensors},
    }


def published(folder: Path) -> Path:
    """Publish a model of this table, with the distribution of its training rows."""
    frame = frame_of(np.random.default_rng(1), 5000)
    booster = fitted(frame, "reg:squarederror")
    save(booster, folder)
    predicted = booster.predict(xgboost.DMatrix(frame, enable_categorical=True))
    return publish(
        folder,
        SCHEMA,
        frame[:50],
        booster=booster,
        ranges=ranges(frame, SCHEMA.features),
        distribution=distribution(frame, predicted, SCHEMA),
    )


def loaded(folder: Path) -> Model:
    """The model, as the service loads it."""
    return Model.load(fetch(open_store("", str(folder)), "", None))
