"""How many of a model's rounds count: as many as in MLflow's own loader, for each class that it loads a file with."""

from pathlib import Path
from typing import Any

import mlflow
import mlflow.xgboost
import numpy as np
import pandas as pd
import pytest
import xgboost

from api.errors import ModelRefused
from api.store.mlmodel import data_path, decode_mlmodel
from api.trees import xgboost_file
from api.trees.walk import Trees

MODELS = Path(__file__).with_name("models")
DRAW = np.random.default_rng(4)
ROWS = pd.DataFrame(DRAW.normal(size=(300, 4)), columns=list("abcd"))
NUMBER = ROWS["a"] * ROWS["b"] + DRAW.normal(size=300)
CLASS = np.digitize(NUMBER, [-0.5, 0.5])
EARLY: dict[str, Any] = {"n_estimators": 60, "early_stopping_rounds": 3, "max_depth": 3, "n_jobs": 1}


def fitted(model: xgboost.XGBModel, target: Any) -> xgboost.XGBModel:
    """Trained until rows that it has not seen are predicted worse."""
    return model.fit(ROWS[:150], target[:150], eval_set=[(ROWS[150:], target[150:])], verbose=False)


def saved(model: Any, folder: Path) -> Path:
    mlflow.xgboost.save_model(model, folder / "model", pip_requirements=["xgboost"])
    return folder / "model"


def loaded(folder: Path) -> Trees:
    """As the service reads it."""
    mlmodel = decode_mlmodel((folder / "MLmodel").read_bytes())
    name = data_path(mlmodel)
    return Trees.of(xgboost_file.read(name, (folder / name).read_bytes(), mlmodel.flavors.xgboost.model_class))


REGRESSOR = fitted(xgboost.XGBRegressor(**EARLY), NUMBER)
CASES = {
    "a regressor, to its best round": REGRESSOR,
    "its booster, to the last": REGRESSOR.get_booster(),
    "a classifier of two": fitted(xgboost.XGBClassifier(**EARLY), CLASS > 0),
    "a classifier of three": fitted(xgboost.XGBClassifier(**EARLY), CLASS),
    "a forest": xgboost.XGBRFRegressor(n_estimators=5, n_jobs=1).fit(ROWS, NUMBER),
    "a regressor that never stopped": xgboost.XGBRegressor(n_estimators=7, n_jobs=1).fit(ROWS, NUMBER),
}


# MLflow warns of its own type hints.
@pytest.mark.filterwarnings("ignore:.*Any type hint:UserWarning")
@pytest.mark.parametrize("case", CASES)
def test_counts_rounds_as_mlflow_does(case: str, tmp_path: Path) -> None:
    """What MLflow's loader predicts with the directory is predicted here, whichever class logged it."""
    folder = saved(CASES[case], tmp_path)
    theirs = np.asarray(mlflow.pyfunc.load_model(str(folder)).predict(ROWS))
    trees = loaded(folder)
    ours = trees.predict(ROWS.to_numpy(np.float32))
    if trees.objective.kind == "boolean" and "booster" not in case:
        ours = (ours > 0.5).astype(np.int64)
    if trees.objective.kind == "category":
        ours = ours.argmax(axis=1)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.filterwarnings("ignore:.*Any type hint:UserWarning")
def test_the_class_decides(tmp_path: Path) -> None:
    """A regressor and its own booster are answered differently, since MLflow does so."""
    for name, model in (("regressor", REGRESSOR), ("booster", REGRESSOR.get_booster())):
        (tmp_path / name).mkdir()
        saved(model, tmp_path / name)
    stopped, whole = (loaded(tmp_path / name / "model").n_trees for name in ("regressor", "booster"))
    assert stopped == REGRESSOR.best_iteration + 1 < whole == REGRESSOR.get_booster().num_boosted_rounds()


@pytest.mark.parametrize("model_class", ["xgboost.core.Booster", "xgboost.sklearn.XGBRegressor"])
def test_xgboost_1_7_notes_a_best_round_of_every_model(model_class: str) -> None:
    """That note alone is no early stopping: the last round is the best, and all count."""
    file = MODELS / "1.7.6/plain.ubj"
    trees = Trees.of(xgboost_file.read(file.name, file.read_bytes(), model_class))
    noted = np.load(file.with_suffix(".npz"))
    np.testing.assert_array_equal(trees.margins(noted["rows"]), noted["margins"])


@pytest.mark.parametrize("best", ["-1", "99", "1.5", "first", "٣"])
def test_best_round_must_be_one(best: str) -> None:
    """A best round that the model does not have is refused where it counts, and is a mere note where it does not."""
    booster = REGRESSOR.get_booster().copy()
    booster.set_attr(best_iteration=best)
    raw = bytes(booster.save_raw("ubj"))
    xgboost_file.read("model.ubj", raw)
    with pytest.raises(ModelRefused, match="best_iteration"):
        xgboost_file.read("model.ubj", raw, "xgboost.sklearn.XGBRegressor")


def test_unknown_class_is_refused() -> None:
    """A class of somebody's own may predict in any way."""
    raw = bytes(REGRESSOR.get_booster().save_raw("ubj"))
    with pytest.raises(ModelRefused, match=r"my\.Own.*log its get_booster"):
        xgboost_file.read("model.ubj", raw, "my.Own")


@pytest.mark.parametrize("settings", ['{"missing": 0.0}', '{"missing": null}', "[]", "{", "[" * 100_000])
def test_another_missing_value_is_refused(settings: str) -> None:
    """XGBoost 1.7 notes a regressor's `missing` in its file: a value that the service would take for a number."""
    booster = REGRESSOR.get_booster().copy()
    booster.set_attr(scikit_learn='{"missing": NaN, "_estimator_type": "regressor"}')
    xgboost_file.read("model.ubj", bytes(booster.save_raw("ubj")))
    booster.set_attr(scikit_learn=settings)
    with pytest.raises(ModelRefused, match=r"missing=|scikit_learn"):
        xgboost_file.read("model.ubj", bytes(booster.save_raw("ubj")))
