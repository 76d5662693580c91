"""Trains a model of every kind that the service reads with the XGBoost that runs this, and notes what it predicts.

    python tests/api/models/write.py FOLDER [FILE ...]

Needs nothing but XGBoost and numpy. Without a FILE it writes everything, which the tests do with the XGBoost that is
installed and with the newest. The folders here were written by the releases that they are named after, with

    plain.ubj everything.ubj partitioned.json pruned.ubj
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

NAMES = ["MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude"]
LOW = np.array([0, 0, 0, 0, 0, 0, 32.5, -124.5])
HIGH = np.array([16, 60, 50, 20, 20000, 30, 42.1, -114.1])
CODES = {1: 50, 3: 3, 4: 12}
"""The columns that hold codes of categories in a table that has some, and how many."""

TRAINED, ASKED = 400, 60

Booster = xgboost.Booster
Array = np.ndarray[Any, Any]
Floats = np.ndarray[Any, np.dtype[np.float32]]
Parameters = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of model: how it is trained, on what, and what is done with it then."""

    parameters: Parameters
    table: str = "numbers"
    """Words: "numbers" alone, with "missing" values, with "categories"."""
    then: Callable[[Booster, xgboost.DMatrix, Parameters], Booster] = field(default=lambda booster, _data, _p: booster)
    rounds: int = 8


def _pruned(booster: Booster, data: xgboost.DMatrix, parameters: Parameters) -> Booster:
    update = {"process_type": "update", "updater": "prune", "gamma": 4.0, "max_depth": 2}
    return xgboost.train({**parameters, **update}, data, booster.num_boosted_rounds(), xgb_model=booster)


def _refreshed(leaf: int) -> Callable[[Booster, xgboost.DMatrix, Parameters], Booster]:
    def then(booster: Booster, data: xgboost.DMatrix, parameters: Parameters) -> Booster:
        update = {"process_type": "update", "updater": "refresh", "refresh_leaf": leaf}
        return xgboost.train({**parameters, **update}, data.slice(list(range(20))), 8, xgb_model=booster)

    return then


def _continued(**more: Any) -> Callable[[Booster, xgboost.DMatrix, Parameters], Booster]:
    def then(booster: Booster, data: xgboost.DMatrix, parameters: Parameters) -> Booster:
        return xgboost.train({**parameters, **more}, data, 8, xgb_model=booster)

    return then


def _stopped(booster: Booster, data: xgboost.DMatrix, parameters: Parameters) -> Booster:
    contrary = xgboost.DMatrix(data.get_data(), -data.get_label(), feature_names=NAMES)
    return xgboost.train(
        parameters, data, 50, evals=[(contrary, "contrary")], early_stopping_rounds=2, verbose_eval=False
    )


DART = {"booster": "dart", "rate_drop": 0.4, "one_drop": 1}
LOSS_GUIDED = {"tree_method": "hist", "grow_policy": "lossguide", "max_depth": 0}
CLASSES = {"objective": "multi:softprob", "num_class": 3}
KINDS: dict[str, Kind] = {
    "plain": Kind({}),
    "absolute": Kind({"objective": "reg:absoluteerror"}),
    "huber": Kind({"objective": "reg:pseudohubererror", "huber_slope": 2}),
    "squared-log": Kind({"objective": "reg:squaredlogerror"}, "missing"),
    "gamma": Kind({"objective": "reg:gamma"}, "missing"),
    "tweedie": Kind({"objective": "reg:tweedie", "tweedie_variance_power": 1.3}),
    "poisson": Kind({"objective": "count:poisson"}, "missing categories"),
    "proportion": Kind({"objective": "reg:logistic"}),
    "yes-no": Kind({"objective": "binary:logistic"}, "missing"),
    "yes-no-weighted": Kind({"objective": "binary:logistic", "scale_pos_weight": 5, "base_score": 0.2}),
    "odds": Kind({"objective": "binary:logitraw"}, "missing"),
    "classes": Kind(CLASSES, "missing"),
    "likeliest-class": Kind({"objective": "multi:softmax", "num_class": 3}),
    "sure-classes": Kind({**CLASSES, "learning_rate": 60.0}),
    "sure-yes-no": Kind({"objective": "binary:logistic", "learning_rate": 60.0}),
    "stumps": Kind({"max_depth": 1}),
    "deep": Kind({"max_depth": 14, "min_child_weight": 0}, "missing"),
    "lone-leaves": Kind({"gamma": 1e9}),
    "loss-guided": Kind({**LOSS_GUIDED, "max_leaves": 23}, "missing"),
    "parallel": Kind({"num_parallel_tree": 3, "subsample": 0.5, "colsample_bynode": 0.5}, "missing"),
    "parallel-classes": Kind({**CLASSES, "num_parallel_tree": 2, "subsample": 0.5}),
    "base-score": Kind({"base_score": 0.25}),
    "tiny-steps": Kind({"learning_rate": 1e-30}),
    "exact": Kind({"tree_method": "exact", "gamma": 3.0}, "missing"),
    "approximate": Kind({"tree_method": "approx", "max_bin": 8}, "missing"),
    "pruned": Kind({"tree_method": "exact", "max_depth": 5}, then=_pruned, rounds=4),
    "pruned-classes": Kind({**CLASSES, "tree_method": "hist", "max_depth": 6}, "missing", _pruned),
    "refreshed": Kind({"max_depth": 7}, then=_refreshed(leaf=1)),
    "refreshed-weights": Kind({"max_depth": 7}, then=_refreshed(leaf=0)),
    "one-hot": Kind({"max_cat_to_onehot": 1000, "max_depth": 8}, "categories"),
    "partitioned": Kind({"max_cat_to_onehot": 1, "max_depth": 3}, "missing categories", rounds=4),
    "partitioned-deep": Kind({"max_cat_to_onehot": 1, "max_depth": 9, "min_child_weight": 0}, "missing categories"),
    "categories-approximate": Kind({"tree_method": "approx"}, "missing categories"),
    "dart": Kind(DART, "missing"),
    "dart-forest": Kind({**DART, "normalize_type": "forest", "sample_type": "weighted", "skip_drop": 0.3}),
    "dart-yes-no": Kind({**DART, "objective": "binary:logistic"}, "missing"),
    # Dropout without its own booster, which newer releases can.
    "dropout": Kind({"rate_drop": 0.4, "one_drop": 1}, "missing"),
    "continued": Kind({}, "missing", _continued(max_depth=2)),
    "continued-with-dropout": Kind({}, "missing", _continued(**DART)),
    "first-rounds": Kind(CLASSES, "missing", lambda booster, _data, _p: booster[:3]),
    "every-other-round": Kind({**CLASSES, **DART}, "missing", lambda booster, _data, _p: booster[0:8:2]),
    "stopped-early": Kind({}, then=_stopped),
    "everything": Kind(
        {**CLASSES, **DART, **LOSS_GUIDED, "num_parallel_tree": 2, "max_leaves": 6},
        "missing categories",
        rounds=4,
    ),
}

REFUSED: dict[str, tuple[Kind, str]] = {
    # With the word by which the refusal names it.
    "linear": (Kind({"booster": "gblinear"}), "gblinear"),
    "hinge": (Kind({"objective": "binary:hinge"}), "binary:hinge"),
    "ranking": (Kind({"objective": "rank:pairwise"}), "rank:pairwise"),
    "survival": (Kind({"objective": "survival:cox"}), "survival:cox"),
    "quantile": (Kind({"objective": "reg:quantileerror", "quantile_alpha": 0.5}), "reg:quantileerror"),
    "targets": (Kind({}, "two targets"), "2 targets"),
    "vector-leaves": (Kind({**CLASSES, "multi_strategy": "multi_output_tree"}), "multi_output_tree"),
}


def _rows(draw: np.random.Generator, number: int, table: str) -> Floats:
    rows = draw.uniform(LOW, HIGH, (number, len(NAMES)))
    if "categories" in table:
        for column, codes in CODES.items():
            rows[:, column] = draw.integers(0, codes, number)
    if "missing" in table:
        rows[draw.random(rows.shape) < 0.15] = np.nan
    return rows.astype(np.float32)


def _target(rows: Array, parameters: Parameters, draw: np.random.Generator) -> Array:
    rows = np.nan_to_num(rows)
    value: Array = (
        rows[:, 0] * 0.3 + np.sin(rows[:, 6]) + rows[:, 1] % 3 + rows[:, 4] % 5 + draw.normal(0, 0.1, len(rows))
    )
    value = (value - value.mean()) / value.std()
    objective = parameters.get("objective", "")
    if "multi" in objective:
        edges = np.quantile(value, np.arange(1, parameters["num_class"]) / parameters["num_class"])
        value = np.digitize(value, edges)
    elif "binary" in objective or "rank" in objective:
        value = value > 0.3
    elif objective == "reg:logistic":
        value = 1 / (1 + np.exp(-value))
    elif objective in ("count:poisson", "reg:tweedie"):
        value = draw.poisson(np.exp(value))
    else:
        value = np.exp(value)
    return value


def _matrix(rows: Array, table: str, label: Any = None) -> xgboost.DMatrix:
    if "categories" not in table:
        return xgboost.DMatrix(rows, label, feature_names=NAMES)
    types = ["c" if column in CODES else "q" for column in range(len(NAMES))]
    return xgboost.DMatrix(rows, label, feature_names=NAMES, feature_types=types, enable_categorical=True)


def train(kind: Kind) -> Booster:
    """A small model of this kind."""
    draw = np.random.default_rng(7)
    # Some kinds name a parameter that their booster does not use, which XGBoost says on standard output.
    xgboost.set_config(verbosity=0)
    rows = _rows(draw, TRAINED, kind.table)
    target = _target(rows, kind.parameters, draw)
    data = _matrix(rows, kind.table, np.stack([target, -target], axis=1) if "targets" in kind.table else target)
    if "rank" in kind.parameters.get("objective", ""):
        data.set_group([TRAINED])
    parameters = {"max_depth": 4, "seed": 1, "nthread": 1, **kind.parameters}
    return kind.then(xgboost.train(parameters, data, kind.rounds), data, parameters)


def asked(kind: Kind, booster: Booster) -> Floats:
    """Rows like the table's; a third with a value at a threshold or right beside it, a third with values missing."""
    draw = np.random.default_rng(8)
    rows = _rows(draw, ASKED, kind.table)
    feature, threshold = _thresholds(booster)
    for row in range(ASKED // 3 if len(feature) else 0):
        split = draw.integers(len(feature))
        beside = (threshold[split], *np.nextafter(threshold[split], np.array([-np.inf, np.inf], np.float32)))
        rows[row, feature[split]] = beside[row % 3]
    rows[-ASKED // 3 :][draw.random((ASKED // 3, len(NAMES))) < 0.4] = np.nan
    rows[-1] = np.nan
    if "categories" in kind.table:
        rows[:9, list(CODES)] += 60  # codes that training never saw
    return rows


def _thresholds(booster: Booster) -> tuple[Array, Array]:
    part = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    trees = part.get("gbtree", part)["model"]["trees"]
    feature, threshold, left, kind = (
        np.concatenate([tree[name] for tree in trees])
        for name in ("split_indices", "split_conditions", "left_children", "split_type")
    )
    splits = (left >= 0) & (kind == 0) & (feature < len(NAMES))
    return feature[splits], threshold[splits].astype(np.float32)


def write(folder: Path, name: str, endings: tuple[str, ...] = ("ubj", "json")) -> None:
    """Save a model of the kind of this name, and what XGBoost predicts with it."""
    kind = KINDS[name]
    booster = train(kind)
    for ending in endings:
        booster.save_model(folder / f"{name}.{ending}")
    rows = asked(kind, booster)
    data = _matrix(rows, kind.table)
    np.savez_compressed(
        folder / f"{name}.npz",
        rows=rows,
        margins=booster.predict(data, output_margin=True),
        answers=booster.predict(data),
        contributions=booster.predict(data, pred_contribs=True, approx_contribs=True),
    )


def main(folder: Path, files: list[str]) -> None:
    """Write these files, or all kinds in both formats and those that are refused."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        name, ending = file.split(".")
        write(folder, name, (ending,))
    if not files:
        for name in KINDS:
            write(folder, name)
        for name, (kind, _) in REFUSED.items():
            train(kind).save_model(folder / f"{name}.ubj")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
