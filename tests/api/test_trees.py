"""The tree walk, against XGBoost itself and against what other versions of it predicted."""

import json
from pathlib import Path

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from api.errors import ModelRefused
from api.trees import xgboost_file
from tests.california import FEATURES

MODELS = Path(__file__).with_name("models")
VERSIONS = sorted(file.stem.removeprefix("xgboost-") for file in MODELS.glob("*.ubj"))


def grown(**parameters: object) -> xgboost.Booster:
    """A small model trained with these parameters."""
    draw = np.random.default_rng(1)
    rows = draw.normal(size=(300, len(FEATURES)))
    matrix = xgboost.DMatrix(rows, label=rows[:, 0] + draw.normal(size=300), feature_names=list(FEATURES))
    return xgboost.train({"nthread": 1, **parameters}, matrix, num_boost_round=9)


@pytest.mark.parametrize("version", VERSIONS)
def test_predicts_as_the_version_that_wrote_the_file(version: str) -> None:
    """Files of older and newer XGBoost versions predict, to the bit, what those versions predicted with them."""
    answers = json.loads((MODELS / f"xgboost-{version}.answers.json").read_text())
    trees = xgboost_file.read("model.ubj", (MODELS / f"xgboost-{version}.ubj").read_bytes())
    np.testing.assert_array_equal(
        trees.predict(np.array(answers["rows"], np.float32)), np.array(answers["predictions"], np.float32)
    )


def test_covers_versions_before_and_after_the_base_score_changed() -> None:
    """XGBoost 3.1 began to write the base score as a list, which older versions silently take for one half."""
    assert {version[:3] for version in VERSIONS} >= {"2.1", "3.0", "3.4"}


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_depth": 1},
        {"max_depth": 12, "min_child_weight": 0},
        {"grow_policy": "lossguide", "max_leaves": 31, "max_depth": 0},
        {"num_parallel_tree": 3, "subsample": 0.5},
        {"base_score": 0.25},
        {"gamma": 1e9},
        {"tree_method": "exact"},
        {"learning_rate": 1e-30},
    ],
)
@pytest.mark.parametrize("kind", ["ubj", "json"])
def test_predicts_as_xgboost_for_every_shape_of_tree(parameters: dict[str, object], kind: str) -> None:
    """Stumps, lone leaves, deep, leaf-wise and parallel trees are walked to XGBoost's own bits, in either format."""
    booster = grown(**parameters)
    trees = xgboost_file.read(f"model.{kind}", bytes(booster.save_raw(kind)))
    rows = np.random.default_rng(2).normal(scale=2, size=(200, len(FEATURES))).astype(np.float32)
    expected = booster.predict(xgboost.DMatrix(rows, feature_names=list(FEATURES)))
    np.testing.assert_array_equal(trees.predict(rows), expected)
    np.testing.assert_array_equal(trees.predict(rows[:1]), expected[:1])


@pytest.fixture(scope="module")
def stumps() -> xgboost.Booster:
    return grown(max_depth=2)


@given(data=st.data())
def test_values_at_a_threshold_go_where_xgboost_sends_them(stumps: xgboost.Booster, data: st.DataObject) -> None:
    """Rows made of the model's own thresholds and their neighbours among the floats are predicted as XGBoost does."""
    trees = xgboost_file.read("model.ubj", bytes(stumps.save_raw("ubj")))
    thresholds = trees.threshold[np.isfinite(trees.threshold)]
    near = np.concatenate(
        [thresholds, np.nextafter(thresholds, np.float32(-9)), np.nextafter(thresholds, np.float32(9)), [-0.0, 1e-45]]
    )
    row = data.draw(st.lists(st.sampled_from(near.tolist()), min_size=len(FEATURES), max_size=len(FEATURES)))
    rows = np.array([row], np.float32)
    expected = stumps.predict(xgboost.DMatrix(rows, feature_names=list(FEATURES)))
    np.testing.assert_array_equal(trees.predict(rows), expected)


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({"booster": "dart"}, "booster"),
        ({"booster": "gblinear"}, "booster"),
        ({"objective": "reg:absoluteerror"}, "objective"),
        ({"objective": "reg:gamma", "base_score": 1}, "objective"),
    ],
)
def test_refuses_models_that_it_would_predict_otherwise(parameters: dict[str, object], word: str) -> None:
    """A kind of model that the walk does not cover is refused by what is not covered."""
    draw = np.random.default_rng(1)
    rows = draw.uniform(1, 2, size=(100, len(FEATURES)))
    matrix = xgboost.DMatrix(rows, label=rows[:, 0])
    booster = xgboost.train({"nthread": 1, **parameters}, matrix, num_boost_round=2)
    with pytest.raises(ModelRefused, match=word):
        xgboost_file.read("model.ubj", bytes(booster.save_raw("ubj")))


def test_refuses_categories() -> None:
    """Splits on categories are refused."""
    rows = np.arange(80.0).reshape(10, 8) % 3
    matrix = xgboost.DMatrix(rows, label=rows[:, 0] == 1, feature_types=["c"] * 8, enable_categorical=True)
    booster = xgboost.train({"nthread": 1, "min_child_weight": 0}, matrix, num_boost_round=2)
    with pytest.raises(ModelRefused, match="categories"):
        xgboost_file.read("model.ubj", bytes(booster.save_raw("ubj")))


def test_refuses_early_stopping_that_was_not_cut() -> None:
    """A model with rounds after its best one is refused, as libraries disagree on which count."""
    booster = grown()
    booster.set_attr(best_iteration="3")
    with pytest.raises(ModelRefused, match="stopped early"):
        xgboost_file.read("model.ubj", bytes(booster.save_raw("ubj")))
