"""Model files that XGBoost would refuse or read otherwise are refused, and what is answered XGBoost answers too."""

import functools
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from api.errors import ModelRefused
from api.trees import xgboost_file
from api.trees.walk import Trees
from tests.api.models import write

Document = dict[str, Any]
KINDS = ("plain", "everything", "pruned", "partitioned")


@functools.cache
def whole(kind: str) -> bytes:
    """A model in the JSON of the XGBoost that is installed."""
    return bytes(write.train(write.KINDS[kind]).save_raw("json"))


def document_of(kind: str) -> Document:
    """The same, to be changed."""
    decoded: Document = json.loads(whole(kind))
    return decoded


def read(document: Document) -> Trees:
    return Trees.of(xgboost_file.read("model.json", json.dumps(document).encode()))


def learner(document: Document) -> Document:
    part: Document = document["learner"]
    return part


def parameters(document: Document) -> Document:
    part: Document = learner(document)["learner_model_param"]
    return part


def booster(document: Document) -> Document:
    part: Document = learner(document)["gradient_booster"]
    return part


def model(document: Document) -> Document:
    part: Document = booster(document).get("gbtree", booster(document))["model"]
    return part


def tree(document: Document) -> Document:
    """The first tree: node 0 has children 1 and 2."""
    first: Document = model(document)["trees"][0]
    return first


def set_in(field: str, place: int, value: object) -> Callable[[Document], object]:
    """Change one value of a field of the first tree."""
    return lambda m: tree(m)[field].__setitem__(place, value)


def twice(document: Document) -> None:
    """The first tree a second time, with a number of its own."""
    part = model(document)
    part["trees"].append({**part["trees"][0], "id": len(part["trees"])})


def chain(document: Document) -> None:
    """Make the first tree 5,000 levels deep."""
    size = 10_001
    first = tree(document)
    first["tree_param"].update(num_nodes=str(size))
    inner = [node % 2 == 0 and node < size - 1 for node in range(size)]
    first["left_children"] = [node + 1 if split else -1 for node, split in enumerate(inner)]
    first["right_children"] = [node + 2 if split else -1 for node, split in enumerate(inner)]
    first["parents"] = [2**31 - 1, *((node - 1) // 2 * 2 for node in range(1, size))]
    for name in ("split_indices", "split_type", "default_left"):
        first[name] = [0] * size
    for name in ("split_conditions", "base_weights", "loss_changes", "sum_hessian"):
        first[name] = [0.5] * size


DAMAGED: dict[str, tuple[Callable[[Document], object], str]] = {
    # Fields
    "an unknown field": (lambda m: model(m).update(leaf_biases=[0.5]), "leaf_biases"),
    "an unknown field of a tree": (lambda m: tree(m).update(leaf_weights=[0.5]), "leaf_weights"),
    "an unknown setting": (lambda m: learner(m)["objective"].update(my_param={}), "my_param"),
    "no version": (lambda m: m.pop("version"), "version"),
    "no trees": (lambda m: model(m).update(trees=[]), "num_trees is not 0"),
    "a tree without thresholds": (lambda m: tree(m).pop("split_conditions"), "split_conditions"),
    "an objective without settings": (lambda m: learner(m)["objective"].pop("reg_loss_param"), "reg_loss_param"),
    "a type of feature that is none": (lambda m: learner(m).update(feature_types=["x"] * 8), "feature_types"),
    "seven names": (lambda m: learner(m)["feature_names"].pop(), "7 names for 8"),
    # Numbers of another type
    "a child that is a fraction": (set_in("left_children", 0, 1.5), "left_children"),
    "a child that is a float": (set_in("left_children", 0, 1.0), "left_children"),
    "a child that is text": (set_in("left_children", 0, "1"), "left_children"),
    "a child beyond 32 bits": (set_in("left_children", 0, 2**32 + 1), "left_children"),
    "a threshold that is a whole number": (set_in("split_conditions", 0, 1), "split_conditions"),
    "a threshold that is text": (set_in("split_conditions", 0, "high"), "split_conditions"),
    "a direction that is text": (set_in("default_left", 0, "1"), "default_left"),
    "a direction that is neither": (set_in("default_left", 0, 2), "default_left"),
    "children that are text": (lambda m: tree(m).update(left_children="abc"), "left_children"),
    "a number of trees in other digits": (
        lambda m: model(m)["gbtree_model_param"].update(num_trees="８"),  # noqa: RUF001 (the digit is the point)
        "num_trees",
    ),
    "a number of features that is a number": (lambda m: parameters(m).update(num_feature=8), "num_feature"),
    "a base score in other digits": (lambda m: parameters(m).update(base_score="[２E0]"), "base score"),  # noqa: RUF001
    # Redundant fields
    "one tree less than said": (lambda m: model(m)["gbtree_model_param"].update(num_trees="9"), "num_trees is not 8"),
    "a tree twice": (twice, "num_trees is not 9"),
    "trees out of order": (lambda m: model(m)["trees"].reverse(), "tree 0 has the id 7"),
    "a tree of another output": (lambda m: model(m)["tree_info"].__setitem__(0, 1), "tree_info"),
    "a round too many": (lambda m: model(m)["iteration_indptr"].append(9), "rounds"),
    "rounds of two trees": (lambda m: model(m)["gbtree_model_param"].update(num_parallel_tree="2"), "rounds"),
    "no parallel trees": (lambda m: model(m)["gbtree_model_param"].update(num_parallel_tree="0"), "rounds"),
    "a tree of other features": (lambda m: tree(m)["tree_param"].update(num_feature="9"), "not for 8 features"),
    "a node more than said": (lambda m: tree(m)["tree_param"].update(num_nodes="3"), "not for 3 nodes"),
    "too few thresholds": (lambda m: tree(m)["split_conditions"].pop(), "split_conditions of its tree 0"),
    "too few gains": (lambda m: tree(m)["loss_changes"].pop(), "loss_changes of its tree 0"),
    "a deleted node": (lambda m: tree(m)["tree_param"].update(num_deleted="1"), "deleted"),
    "a parent that is none": (set_in("parents", 1, -1), "parent"),
    "a parent that is another's": (set_in("parents", 1, 2), "form trees"),
    "a root with a parent": (set_in("parents", 0, 0), "parent"),
    # Trees
    "a child beyond the end": (set_in("left_children", 0, 10_000), "children"),
    "a child before the start": (set_in("left_children", 0, -2), "children"),
    "one child": (set_in("right_children", 0, -1), "children"),
    "children apart": (set_in("right_children", 0, 3), "children"),
    "a node that is its own child": (set_in("left_children", 0, 0), "children"),
    "a circle of nodes": (set_in("left_children", 1, 0), "children|trees"),
    "a feature beyond the eighth": (set_in("split_indices", 0, 8), "not among its 8"),
    "a feature before the first": (set_in("split_indices", 0, -1), "negative"),
    "a tree of 5,000 levels": (chain, "more than 256 levels"),
    # Values
    "a threshold that is no number": (set_in("split_conditions", 0, float("nan")), "threshold"),
    "a leaf beyond floats": (lambda m: tree(m)["split_conditions"].__setitem__(-1, 1e300), "leaf's value"),
    "a weight beyond floats": (set_in("sum_hessian", 0, 1e300), "weights"),
    "a base score that is text": (lambda m: parameters(m).update(base_score="half"), "'half'"),
    "a base score that is a word": (lambda m: parameters(m).update(base_score="NaN"), "'NaN'"),
    "two base scores": (lambda m: parameters(m).update(base_score="[1E0,2E0]"), "it predicts 1 output"),
    "an endless base score": (lambda m: parameters(m).update(base_score="1E999"), "no finite number"),
    "half a base score": (lambda m: parameters(m).update(base_score="[1E0"), "JSON|delimiter"),
    "three classes": (lambda m: parameters(m).update(num_class="3"), "has 3 classes"),
}

OF_EVERYTHING: dict[str, tuple[Callable[[Document], object], str]] = {
    "classes that disagree": (
        lambda m: learner(m)["objective"]["softmax_multiclass_param"].update(num_class="4"),
        "agree on 3 classes",
    ),
    "outputs out of order": (lambda m: model(m)["tree_info"].reverse(), "tree_info"),
    "a weight too few": (lambda m: booster(m)["weight_drop"].pop(), "weight_drop"),
    "a weight that is a whole number": (lambda m: booster(m)["weight_drop"].__setitem__(0, 1), "weight_drop"),
    "weights twice": (lambda m: model(m).update(weight_drop=booster(m)["weight_drop"]), "weight_drop"),
    "no weights": (lambda m: booster(m).pop("weight_drop"), "weight_drop"),
    "a category too many": (lambda m: tree(m)["categories"].append(1), "categories"),
    "a category before the first": (lambda m: tree(m)["categories"].__setitem__(0, -1), "categories"),
    "a category beyond floats": (lambda m: tree(m)["categories"].__setitem__(0, 2**24), "categories"),
    "sets that overlap": (lambda m: tree(m)["categories_segments"].__setitem__(-1, 0), "categories"),
    "an empty set": (lambda m: tree(m)["categories_sizes"].__setitem__(0, 0), "categories"),
    "a set of another node": (lambda m: tree(m)["categories_nodes"].__setitem__(0, 999), "categories"),
    "a split of another type": (lambda m: tree(m).update(split_type=[1] * len(tree(m)["split_type"])), "categories"),
    "three base scores and a half": (lambda m: parameters(m).update(base_score="[0E0,0E0]"), "it predicts 3 outputs"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_model_is_refused(damage: str) -> None:
    """A file that XGBoost does not read, or reads otherwise than it says, is refused by the field or the fault."""
    change, word = DAMAGED[damage]
    document = document_of("plain")
    change(document)
    with pytest.raises(ModelRefused, match=word) as caught:
        read(document)
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize("damage", OF_EVERYTHING)
def test_damaged_model_of_everything_is_refused(damage: str) -> None:
    """So is one of classes, dropout and categories."""
    change, word = OF_EVERYTHING[damage]
    document = document_of("everything")
    change(document)
    with pytest.raises(ModelRefused, match=word):
        read(document)


def test_a_key_that_stands_twice_is_refused() -> None:
    """XGBoost takes the last in JSON and the first in UBJSON; nobody writes both."""
    raw = whole("plain").decode().replace('"num_target"', '"num_class": "3", "num_target"')
    with pytest.raises(ModelRefused, match="twice"):
        xgboost_file.read("model.json", raw.encode())


VALUES: list[object] = [0, -1, 1, 2, 1.5, 0.0, "0", "1", "2", True, None, [], {}, 1e300, float("nan"), 2**31 - 1, "x"]


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, Document]:
    """A model with one thing changed, anywhere."""
    kind = draw(st.sampled_from(KINDS))
    document = document_of(kind)
    part: Any = document
    while True:
        key = draw(st.sampled_from(list(part) if isinstance(part, dict) else range(len(part))))
        if not isinstance(part[key], dict | list) or not part[key] or draw(st.integers(0, 9)) == 0:
            break
        part = part[key]
    change = draw(st.sampled_from(("replace", "nudge", "swap", "remove", "repeat")))
    if change == "nudge" and type(part[key]) in (int, float):
        part[key] += draw(st.sampled_from((1, -1)))
    elif change == "swap" and isinstance(part, list):
        part[key], part[-1] = part[-1], part[key]
    elif change == "remove":
        del part[key]
    elif change == "repeat" and isinstance(part, list):
        part.insert(key, part[key])
    else:
        part[key] = draw(st.sampled_from(VALUES))
    return kind, document


@given(mutation=mutations())
def test_what_is_answered_xgboost_answers(mutation: tuple[str, Document]) -> None:
    """However a file is changed: it is refused, or XGBoost reads it too and predicts the same to the bit."""
    kind, document = mutation
    try:
        trees = read(document)
    except ModelRefused:
        return
    raw = bytearray(json.dumps(document).encode())
    theirs = xgboost.Booster(model_file=raw)
    rows = write.asked(write.KINDS[kind], theirs)
    data = xgboost.DMatrix(
        rows, feature_names=theirs.feature_names, feature_types=theirs.feature_types, enable_categorical=True
    )
    np.testing.assert_array_equal(trees.margins(rows), theirs.predict(data, output_margin=True))


def test_files_of_no_format_are_refused(tmp_path: Path) -> None:
    """A file that is neither UBJSON nor JSON is refused, and told what to do where it is XGBoost's older format."""
    for name, raw in {
        "model.pkl": pickle.dumps(1),
        "model.xgb": b"binf\0\0\0?",
        "model": b"",
        "gz": b"\x1f\x8b",
    }.items():
        with pytest.raises(ModelRefused, match=f"^{name} is neither UBJSON nor JSON.*load it into XGBoost 3.0"):
            xgboost_file.read(name, raw)


@pytest.mark.parametrize("file", ["2.1.4/plain.ubj", "2.1.4/partitioned.json"])
def test_the_first_bytes_tell_the_format(file: str) -> None:
    """Whatever a file is called, it is read as what it is: MLflow 2 called UBJSON and the older format `model.xgb`."""
    raw = (Path(write.__file__).parent / file).read_bytes()
    named = xgboost_file.read(file, raw)
    for name in ("model.xgb", "model", "model.json", "model.ubj"):
        read = xgboost_file.read(name, raw)
        np.testing.assert_array_equal(read.nodes.condition, named.nodes.condition)
