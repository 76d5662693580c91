"""Makes published models of arbitrary tables by hand, without a training."""

from pathlib import Path
from typing import Any

import mlflow.xgboost
import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost

from api.store.manifest import MANIFEST_NAME, FileDigest, Manifest, encode
from api.store.schema import Schema
from training.fitting.known import known_answers

AT = "2026-01-31T08:32:10+00:00"


def save(model: Any, folder: Path, **options: Any) -> Path:
    """A plain MLflow directory of a Booster, or of one of XGBoost's scikit-learn classes."""
    mlflow.xgboost.save_model(model, folder, model_format="ubj", pip_requirements=["xgboost"], **options)
    return folder


def publish(
    folder: Path,
    schema: Schema,
    rows: pd.DataFrame,
    *,
    version: str = "1",
    booster: xgboost.Booster | None = None,
    **changes: Any,
) -> Path:
    """Give an MLflow directory the manifest of a published model.

    Args:
        folder: the directory.
        schema: of its table.
        rows: features as the model takes them, of which known answers are made.
        version: what it is called.
        booster: the model; the directory's own if not given.
        changes: other fields of the manifest.
    """
    model = booster or xgboost.Booster(model_file=folder / "model.ubj")
    predicted: npt.NDArray[np.floating] = model.predict(xgboost.DMatrix(rows, enable_categorical=True))
    files = {path.name: FileDigest.of(path.read_bytes()) for path in sorted(folder.iterdir()) if path.is_file()}
    files.pop(MANIFEST_NAME, None)
    named = rows.set_axis(schema.names, axis=1)
    numbers = [feature.name for feature in schema.features if feature.kind in ("number", "integer")]
    described = Manifest(
        **{
            "schema": schema,
            "model_version": version,
            "run_id": "0" * 32,
            "trained_at": AT,
            "xgboost_version": xgboost.__version__,
            "ranges": {name: (float(named[name].min()), float(named[name].max())) for name in numbers},
            "known_answers": known_answers(model, rows, predicted, schema),
            "metrics": {},
            "files": files,
            **changes,
        }
    )
    (folder / MANIFEST_NAME).write_bytes(encode(described))
    return folder
