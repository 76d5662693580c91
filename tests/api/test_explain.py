"""POST /explain: the contributions are XGBoost's own, and they add up."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from api.store.manifest import MANIFEST_NAME, decode
from api.trees import xgboost_file
from api.trees.walk import Trees
from tests.california import BOUNDS, FEATURES
from tests.running import Serve, Service


def contributions(booster: xgboost.Booster, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    matrix = xgboost.DMatrix(rows, feature_names=booster.feature_names)
    result: np.ndarray[Any, Any] = booster.predict(matrix, pred_contribs=True, approx_contribs=True)
    return result


def test_contributions_are_xgboosts(model_directory: Path) -> None:
    """Rows within and beyond the training data get XGBoost's approx_contribs, and they sum to the prediction."""
    trees = Trees.of(xgboost_file.read("model.ubj", (model_directory / "model.ubj").read_bytes()))
    booster = xgboost.Booster(model_file=model_directory / "model.ubj")
    ranges = decode((model_directory / MANIFEST_NAME).read_bytes()).ranges
    draw = np.random.default_rng(7)
    rows = np.concatenate(
        [
            np.stack([draw.uniform(*spans[name], 3_000) for name in FEATURES], axis=1).astype(np.float32)
            for spans in (ranges, BOUNDS)
        ]
    )
    explained = trees.explain(rows)
    np.testing.assert_allclose(explained, contributions(booster, rows), rtol=0, atol=1e-5)
    np.testing.assert_allclose(explained.sum(axis=1), trees.predict(rows), rtol=0, atol=1e-4)
    one_by_one = np.concatenate([trees.explain(row[np.newaxis]) for row in rows[:50]])
    np.testing.assert_array_equal(one_by_one, explained[:50])


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_depth": 1},
        {"max_depth": 12, "min_child_weight": 0},
        {"grow_policy": "lossguide", "max_leaves": 17, "max_depth": 0, "tree_method": "hist"},
        {"gamma": 1e9},  # no split is worth it: trees of a single leaf
        {"base_score": -3.5, "subsample": 0.3, "colsample_bynode": 0.5},
    ],
    ids=lambda parameters: ",".join(parameters),
)
def test_contributions_of_trees_of_all_shapes(tmp_path: Path, parameters: dict[str, Any]) -> None:
    """Stumps, deep and lopsided trees and single leaves are explained as XGBoost explains them."""
    draw = np.random.default_rng(3)
    rows = draw.normal(size=(400, 8)).astype(np.float32)
    target = rows[:, 0] * rows[:, 1] + np.sin(3 * rows[:, 2]) + draw.normal(size=400)
    matrix = xgboost.DMatrix(rows, target, feature_names=list(FEATURES))
    booster = xgboost.train({"objective": "reg:squarederror", "seed": 1, "nthread": 1, **parameters}, matrix, 20)
    booster.save_model(tmp_path / "model.ubj")
    trees = Trees.of(xgboost_file.read("model.ubj", (tmp_path / "model.ubj").read_bytes()))
    np.testing.assert_allclose(trees.explain(rows), contributions(booster, rows), rtol=0, atol=1e-5)


def test_answers_the_prediction_and_what_pushed_it(
    service: Service, example: dict[str, float], model_directory: Path
) -> None:
    """An explanation is the answer of /predict with the base value and eight contributions that add up to it."""
    booster = xgboost.Booster(model_file=model_directory / "model.ubj")
    with service.client() as client:
        prediction = client.post("/predict", json=example | {"MedInc": 90}).json()
        explanation = client.post("/explain", json=example | {"MedInc": 90}).json()
    base, pushes = explanation.pop("base_value"), explanation.pop("contributions")
    assert explanation == prediction
    assert list(pushes) == list(FEATURES)
    assert base + sum(pushes.values()) == pytest.approx(prediction["median_house_value"], abs=1e-4)
    row = np.array([list((example | {"MedInc": 90}).values())], np.float32)
    np.testing.assert_allclose([*pushes.values(), base], contributions(booster, row)[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("content", [b"{", b'{"MedInc": 1}', b"[]", b'{"MedInc": "x"}'])
def test_refuses_what_predict_refuses(service: Service, content: bytes) -> None:
    """A body that /predict refuses is refused by /explain, with the same words."""
    headers = {"content-type": "application/json", "x-request-id": "same"}
    with service.client(headers=headers) as client:
        predicted, explained = (client.post(path, content=content) for path in ("/predict", "/explain"))
    assert explained.status_code == predicted.status_code >= 400
    assert explained.json() == predicted.json()


def test_asks_for_the_api_key(serve: Serve, model_directory: Path, example: dict[str, float]) -> None:
    """Where predictions ask for a key, explanations and MLflow's endpoint do too; MLflow's probes stay open."""
    guarded = serve(MODEL_PATH=str(model_directory), API_KEYS="secret")
    with guarded.client() as client:
        bodies = {"/explain": example, "/invocations": {"inputs": example}}
        assert [client.post(path, json=body).status_code for path, body in bodies.items()] == [401, 401]
        client.headers["authorization"] = "Bearer secret"
        assert [client.post(path, json=body).status_code for path, body in bodies.items()] == [200, 200]
        del client.headers["authorization"]
        assert [client.get(path).status_code for path in ("/ping", "/version")] == [200, 200]
