"""Categories: their names in the files of XGBoost 3.1 and newer, and the codes that splits go by."""

import json
import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost

from api.errors import ModelRefused
from api.trees import xgboost_file
from api.trees.walk import Trees
from tests.api.models import write

DRAW = np.random.default_rng(3)
CODES = DRAW.integers(0, 4, 200)
OTHER = np.arange(200) % 3


def trained(names: list[Any]) -> xgboost.Booster:
    """A model of a table with a column of these four categories between numbers, and another one."""
    table = pd.DataFrame(
        {
            "size": DRAW.normal(size=200),
            "kind": pd.Categorical.from_codes(CODES, categories=pd.Index(names)),
            "place": pd.Categorical.from_codes(OTHER, categories=pd.Index(["x", "y", "z"])),
        }
    )
    data = xgboost.DMatrix(table, CODES % 3 + OTHER, enable_categorical=True)
    return xgboost.train({"nthread": 1, "max_depth": 4}, data, 5)


def saved(booster: xgboost.Booster, ending: str) -> bytes:
    return bytes(booster.save_raw(ending))


@pytest.mark.parametrize("ending", ["ubj", "json"])
@pytest.mark.parametrize("names", [["b", "a", "in the wood", "d"], [7, 3, 11, -2]], ids=["texts", "numbers"])
def test_names_are_in_the_order_of_their_codes(names: list[Any], ending: str) -> None:
    """Texts and whole numbers come back in the order that gives them their codes; a number has none."""
    trees = Trees.of(xgboost_file.read(f"model.{ending}", saved(trained(names), ending)))
    assert trees.categories == [None, names, ["x", "y", "z"]]
    assert trees.feature_types == ["float", "c", "c"]


def test_misplaced_names_are_not_guessed() -> None:
    """Up to 3.3 XGBoost counts letters where it cuts the names of pandas into bytes: such names are not told."""
    booster = trained(["b", "Höhe", "ä", "d"])
    trees = Trees.of(xgboost_file.read("model.ubj", saved(booster, "ubj")))
    named = tuple(json.loads(booster.save_raw("json"))["version"][:2]) >= (3, 4)
    assert trees.categories == [None, ["b", "Höhe", "ä", "d"] if named else None, ["x", "y", "z"]]


def document() -> dict[str, Any]:
    """A model with names, in XGBoost's JSON, as if it were of the newest release."""
    decoded: dict[str, Any] = json.loads(saved(trained(["b", "a", "c", "d"]), "json"))
    return {**decoded, "version": [*xgboost_file.NEWEST_XGBOOST, 0]}


def read(changed: dict[str, Any]) -> Trees:
    return Trees.of(xgboost_file.read("model.json", json.dumps(changed).encode()))


def names_of(changed: dict[str, Any]) -> dict[str, Any]:
    part: dict[str, Any] = changed["learner"]["gradient_booster"]["model"]["cats"]
    return part


@pytest.mark.parametrize(("kind", "values"), [(12, [1, 2, 3, 65535]), (16, [1, 2, 3, 2**62]), (9, [-1, 0, 1, 2])])
def test_whole_numbers_of_every_size(kind: int, values: list[int]) -> None:
    """XGBoost 3.4 keeps the size and the sign of categories that are whole numbers."""
    changed = document()
    names_of(changed)["enc"][1] = {"type": kind, "values": values}
    assert read(changed).categories[1] == values


@pytest.mark.parametrize(
    "damage",
    [
        lambda cats: cats["enc"].pop(),
        lambda cats: cats["enc"][1].update(values=[1.5, 2.5]),
        lambda cats: cats["enc"][1].update(values=None),
        lambda cats: cats["enc"][1]["values"].pop(),
        lambda cats: cats["enc"][1]["offsets"].reverse(),
        lambda cats: cats["enc"][1]["values"].__setitem__(0, -1),
        lambda cats: cats["feature_segments"].pop(),
        lambda cats: cats["enc"].__setitem__(1, {"type": 9, "values": [1, 2, 3, 300]}),
        lambda cats: cats["enc"].__setitem__(1, {"values": [1, 2, 3, 4]}),
        lambda cats: cats["enc"].__setitem__(1, {"type": 7, "values": [1, 2, 3, 4]}),
        lambda cats: cats.update(extra=1),
    ],
)
def test_damaged_names_are_refused(damage: Any) -> None:
    """Names that do not add up, are no texts, or of no known type refuse the file."""
    changed = document()
    read(changed)
    damage(names_of(changed))
    with pytest.raises(ModelRefused):
        read(changed)


def test_any_number_is_a_code_as_in_xgboost() -> None:
    """Fractions, negatives, huge and unseen codes go where XGBoost sends them."""
    kind = write.KINDS["partitioned-deep"]
    booster = write.train(kind)
    trees = Trees.of(xgboost_file.read("model.ubj", saved(booster, "ubj")))
    rows = np.repeat(write.asked(kind, booster)[-1:], 60, axis=0)
    odd = [0.0, -0.0, 0.5, 1.999, -0.5, -3, 31, 32, 33, 49, 50, 1e5, 2**24 - 1, 2**24, 1e30, -1e30, np.nan, 7, 8, 12]
    rows[:, list(write.CODES)] = np.resize(np.array(odd, np.float32), (60, len(write.CODES)))
    data = xgboost.DMatrix(
        rows, feature_names=write.NAMES, feature_types=booster.feature_types, enable_categorical=True
    )
    np.testing.assert_array_equal(trees.margins(rows), booster.predict(data, output_margin=True))


def test_memory_for_categories_is_bounded() -> None:
    """A code of sixteen million, four bytes in the file, does not take two megabytes for each of hundreds of splits."""
    changed = json.loads(saved(write.train(write.KINDS["partitioned-deep"]), "json"))
    for tree in changed["learner"]["gradient_booster"]["model"]["trees"]:
        tree["categories"][:] = [2**24 - 1 if code == 0 else code for code in tree["categories"]]
    tracemalloc.start()
    try:
        with pytest.raises(ModelRefused, match="bytes of memory"):
            read(changed)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
