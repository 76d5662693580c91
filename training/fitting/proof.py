"""The proof, before anything is published, that the service's walk predicts what XGBoost predicts, to the bit."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost

from api.errors import ModelRefused
from api.model.agreement import check_agreement
from api.store.mlmodel import MLMODEL, data_path, decode_mlmodel
from api.store.schema import Feature, Schema
from api.trees import xgboost_file
from api.trees.rounds import BOOSTER
from api.trees.walk import Trees, few_at_a_time
from training.errors import ProofError

log = logging.getLogger(__name__)

RANDOM_ROWS = 5_000
BOUNDARY_ROWS = 5_000
UNBOUNDED = 1e6
"""How far random numbers reach where the schema has no bound."""

Rows = npt.NDArray[np.float32]


def prove(folder: Path, data: Rows, schema: Schema) -> int:
    """Compare both on the data, on random rows and on rows at the edges; returns how many rows agreed.

    XGBoost's is `Booster.predict`: up to 3.2, its `inplace_predict` rounds the trees of dropout in another way.

    Args:
        folder: an MLflow model directory.
        data: the rows of the dataset in the model's numbers, training and held-out alike.
        schema: of the table.

    Raises:
        ProofError: the service refuses the model, or one prediction differs in a bit.
    """
    try:
        mlmodel = decode_mlmodel((folder / MLMODEL).read_bytes())
        model, model_class = data_path(mlmodel), mlmodel.flavors.xgboost.model_class
        raw = (folder / model).read_bytes()
        trees = Trees.of(xgboost_file.read(model, raw, model_class))
        check_agreement(schema, trees, mlmodel)
    except ModelRefused as error:
        raise ProofError(f"The service refuses the model: {error}") from error
    booster = _as_mlflow_loads(xgboost.Booster(model_file=bytearray(raw)), model_class)
    rows = np.concatenate([data, random_rows(schema), boundary_rows(booster, data, schema)])
    types = ["c" if feature.kind == "category" else "q" for feature in schema.features]
    names = booster.feature_names
    matrix = xgboost.DMatrix(rows, feature_names=names, feature_types=types, enable_categorical=True)
    for what, walk, expected in (
        ("raw score", trees.margins, booster.predict(matrix, output_margin=True)),
        ("prediction", trees.predict, booster.predict(matrix)),
    ):
        # The service walks few rows in another way than many.
        for walked in (few_at_a_time(walk, rows), walk(rows)):
            _compare(what, rows, walked.reshape(expected.shape), expected)
    log.info("The service's tree walk equals XGBoost to the bit on %s rows", f"{len(rows):,}")
    return len(rows)


def _as_mlflow_loads(booster: xgboost.Booster, model_class: str) -> xgboost.Booster:
    """XGBoost's scikit-learn classes predict with the rounds up to the best one, a booster with all."""
    best = booster.attr("best_iteration")
    return booster if best is None or model_class == BOOSTER else booster[: int(best) + 1]


def _compare(what: str, rows: Rows, walked: Rows, expected: Rows) -> None:
    differ = walked.view(np.uint32) != expected.view(np.uint32)
    places = np.flatnonzero(differ.reshape(len(rows), -1).any(axis=1))
    if places.size:
        row = places[0]
        raise ProofError(
            f"The service's {what} would be {walked[row]!r} and XGBoost's {expected[row]!r} for {rows[row].tolist()}; "
            f"{places.size:,} of {len(rows):,} rows differ. Nothing was published."
        )


def random_rows(schema: Schema) -> Rows:
    """Rows spread over everything that the service accepts."""
    random = np.random.default_rng(0)
    columns = [_random_column(feature, random) for feature in schema.features]
    return np.stack(columns, axis=1).astype(np.float32)


def _random_column(feature: Feature, random: np.random.Generator) -> npt.NDArray[np.float64]:
    if feature.kind in ("category", "boolean"):
        values = random.integers(len(feature.categories) or 2, size=RANDOM_ROWS).astype(float)
    else:
        low = -UNBOUNDED if feature.low is None else feature.low
        high = UNBOUNDED if feature.high is None else feature.high
        values = random.uniform(min(low, high), max(low, high), RANDOM_ROWS)
    if feature.missing:
        values[random.random(RANDOM_ROWS) < 0.2] = np.nan
    return values


def boundary_rows(booster: xgboost.Booster, data: Rows, schema: Schema) -> Rows:
    """Rows of the data with one value moved to a threshold, to the floats beside it, or to an extreme."""
    random = np.random.default_rng(0)
    feature, threshold = _thresholds(booster)
    numeric = np.array([each.kind != "category" for each in schema.features])
    feature, threshold = feature[numeric[feature]], threshold[numeric[feature]]
    chosen = random.integers(len(feature), size=BOUNDARY_ROWS // 3) if len(feature) else np.empty(0, int)
    feature, threshold = feature[chosen], threshold[chosen]
    largest = np.finfo(np.float32).max
    beside = [threshold, np.nextafter(threshold, -largest), np.nextafter(threshold, largest)]
    extremes = np.array([0.0, -0.0, np.finfo(np.float32).smallest_subnormal, largest, -largest], np.float32)
    places = np.flatnonzero(numeric)
    columns = np.concatenate([*[feature] * 3, np.repeat(places, len(extremes))])
    values = np.concatenate([*beside, np.tile(extremes, len(places))])
    rows = data[random.integers(len(data), size=len(values))]
    rows[np.arange(len(rows)), columns] = values
    return rows


def _thresholds(booster: xgboost.Booster) -> tuple[npt.NDArray[np.int64], Rows]:
    """The feature and threshold of every split, from XGBoost's own JSON and not from our reading of its file."""
    part: Any = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    # Before XGBoost 3.3, dropout's trees are a level deeper.
    trees = part.get("gbtree", part)["model"]["trees"]
    left, feature, threshold = (
        np.concatenate([tree[name] for tree in trees])
        for name in ("left_children", "split_indices", "split_conditions")
    )
    # Nodes that pruning deleted have a feature that is none.
    splits = (left >= 0) & (feature < booster.num_features())
    return feature[splits], threshold[splits].astype(np.float32)
