"""The proof, before anything is published, that the service's tree walk predicts what XGBoost predicts, to the bit."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost

from api.errors import ModelRefused
from api.model.model import check_kind
from api.model.schema import BOUNDS, FEATURES
from api.trees import xgboost_file
from api.trees.walk import Trees
from training.errors import ProofError

RANDOM_ROWS = 5_000
BOUNDARY_ROWS = 5_000

Rows = npt.NDArray[np.float32]


def prove(model: Path, table: pd.DataFrame) -> int:
    """Compare both predictions on the data, on random rows and on rows at the edges; returns how many rows agreed.

    XGBoost's is `Booster.predict`: up to 3.2, its `inplace_predict` rounds the trees of dropout in another way.

    Args:
        model: a `model.ubj` file.
        table: the rows of the dataset, training and held-out alike.

    Raises:
        ProofError: the service refuses the model, or one prediction differs in a bit.
    """
    booster = xgboost.Booster(model_file=model)
    if booster.feature_names != list(FEATURES):
        raise ProofError(f"The model's features are {booster.feature_names}, the service's {list(FEATURES)}.")
    try:
        trees = Trees.of(xgboost_file.read(model.name, model.read_bytes()))
        check_kind(trees)
    except ModelRefused as error:
        raise ProofError(f"The service refuses the model: {error}") from error
    data = table[list(FEATURES)].to_numpy(np.float32)
    rows = np.concatenate([data, random_rows(), boundary_rows(booster, data)])
    expected = booster.predict(xgboost.DMatrix(rows, feature_names=booster.feature_names))
    walked = trees.predict(rows)
    differ = np.flatnonzero(expected.view(np.uint32) != walked.view(np.uint32))
    if differ.size:
        row = differ[0]
        raise ProofError(
            f"The service would predict {walked[row]!r} and XGBoost {expected[row]!r} for {rows[row].tolist()}; "
            f"{differ.size:,} of {len(rows):,} rows differ. Nothing was published."
        )
    return len(rows)


def random_rows() -> Rows:
    """Rows spread over everything that the service accepts."""
    low, high = np.array([BOUNDS[name] for name in FEATURES]).T
    return np.random.default_rng(0).uniform(low, high, (RANDOM_ROWS, len(FEATURES))).astype(np.float32)


def boundary_rows(booster: xgboost.Booster, data: Rows) -> Rows:
    """Rows of the data with one value moved to a threshold, to the floats beside it, or to an extreme."""
    random = np.random.default_rng(0)
    feature, threshold = _thresholds(booster)
    chosen = random.integers(len(feature), size=BOUNDARY_ROWS // 3)
    feature, threshold = feature[chosen], threshold[chosen]
    largest = np.finfo(np.float32).max
    beside = [threshold, np.nextafter(threshold, -largest), np.nextafter(threshold, largest)]
    extremes = np.array([0.0, -0.0, np.finfo(np.float32).smallest_subnormal, largest, -largest], np.float32)
    columns = np.concatenate([*[feature] * 3, np.repeat(np.arange(len(FEATURES)), len(extremes))])
    values = np.concatenate([*beside, np.tile(extremes, len(FEATURES))])
    rows = data[random.integers(len(data), size=len(values))]
    rows[np.arange(len(rows)), columns] = values
    return rows


def _thresholds(booster: xgboost.Booster) -> tuple[npt.NDArray[np.int64], Rows]:
    """The feature and threshold of every split, from XGBoost's own JSON and not from our reading of its file."""
    part = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    # Before XGBoost 3.3, dropout's trees are a level deeper.
    trees = part.get("gbtree", part)["model"]["trees"]
    left = np.concatenate([tree["left_children"] for tree in trees])
    feature = np.concatenate([tree["split_indices"] for tree in trees])
    threshold = np.concatenate([tree["split_conditions"] for tree in trees]).astype(np.float32)
    # Nodes that pruning deleted have a feature that is none.
    splits = (left >= 0) & (feature < len(FEATURES))
    return feature[splits], threshold[splits]
