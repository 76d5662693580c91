"""The model that is served and the rows that are asked for, the same for every stack."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow.xgboost
import numpy as np
import xgboost
from mlflow.models import infer_signature

from benchmarks.stack import Stack
from tests.california import FEATURES, SCHEMA, TABLE
from tests.models import publish
from training.rows.data import load

TREES, DEPTH = 500, 8


def train(folder: Path) -> Path:
    """A published MLflow directory with 500 trees of depth 8, made once."""
    model = folder / "model"
    if not model.exists():
        table = load(TABLE).table
        features = table[list(FEATURES)]
        regressor = xgboost.XGBRegressor(
            n_estimators=TREES, max_depth=DEPTH, learning_rate=0.05, subsample=0.8, random_state=42
        )
        regressor.fit(features, table["MedHouseVal"])
        signature = infer_signature(features.head(), regressor.predict(features.head()))
        mlflow.xgboost.save_model(regressor, model, signature=signature, pip_requirements=["xgboost"])
        publish(model, SCHEMA, features)
    return model


def write(stack: Stack, model: Path, count: int = 500) -> Path:
    """The request bodies that this stack understands, each with the value that XGBoost gives for it."""
    rows = load(TABLE).table[list(FEATURES)].sample(count, random_state=7)
    booster = xgboost.Booster(model_file=model / "model.ubj")
    values = booster.predict(xgboost.DMatrix(rows)) if stack.predicts else rows["MedInc"].to_numpy()
    path = model.parent / f"rows-{stack.name}.tsv"
    lines = [
        f"{float(value)!r}\t{body(stack, row)}" for value, row in zip(values, rows.to_dict("records"), strict=True)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def body(stack: Stack, row: Mapping[Any, float]) -> str:
    """One request body in the stack's own format."""
    if stack.body == "v2":
        values = [float(np.float32(value)) for value in row.values()]
        tensor = {"name": "input", "shape": [1, len(row)], "datatype": "FP32", "data": values}
        return json.dumps({"inputs": [tensor]})
    return json.dumps({"features": row} if stack.body == "wrapped-features" else row)
