"""Writes the files in this directory: run under each XGBoost version that the service should read, and commit."""

import json
from pathlib import Path

import numpy as np
import xgboost

from tests.california import FEATURES

HERE = Path(__file__).parent
LOW = np.array([0, 0, 0, 0, 0, 0, 32.5, -124.5])
HIGH = np.array([16, 60, 50, 20, 20000, 30, 42.1, -114.1])


def main() -> None:
    """Train a small model, save it, and note what this version of XGBoost predicts with it."""
    draw = np.random.default_rng(7)
    rows = draw.uniform(LOW, HIGH, (500, 8))
    target = rows[:, 0] * 0.3 + np.sin(rows[:, 6]) + draw.normal(0, 0.1, 500) + 2
    matrix = xgboost.DMatrix(rows, label=target, feature_names=list(FEATURES))
    booster = xgboost.train({"max_depth": 4, "objective": "reg:squarederror", "seed": 1, "nthread": 1}, matrix, 12)
    name = f"xgboost-{xgboost.__version__}"
    booster.save_model(HERE / f"{name}.ubj")
    rows = draw.uniform(LOW, HIGH, (50, 8)).astype(np.float32)
    predictions = booster.predict(xgboost.DMatrix(rows, feature_names=list(FEATURES)))
    answers = {"rows": rows.tolist(), "predictions": predictions.tolist()}
    (HERE / f"{name}.answers.json").write_text(json.dumps(answers) + "\n")


if __name__ == "__main__":
    main()
