"""Reads a model as XGBoost saves it into `Trees`, and refuses what the walk does not predict exactly."""

import re
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from api.errors import ModelRefused
from api.trees import ubjson
from api.trees.walk import Nodes, Trees

NEWEST_XGBOOST = (3, 4)
"""Newest release whose files this reader is tested against; a newer one may mean something else by the same fields."""

MAX_DEPTH = 256


def read(name: str, raw: bytes) -> Trees:
    """Read the file `model.ubj` or `model.json`; its name tells the format.

    Raises:
        ModelRefused: a format or kind of model that is not covered, or a file that is not a whole model.
    """
    try:
        if name.endswith(".ubj"):
            return _lay_out(ubjson.loads(raw))
        if name.endswith(".json"):
            return _lay_out(msgspec.json.decode(raw))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise ModelRefused(f"{name} is not a complete XGBoost model: {error!r}") from error
    raise ModelRefused(
        f"{name} is neither .ubj nor .json; save the model with XGBoost's save_model or MLflow's log_model"
    )


def _lay_out(document: Any) -> Trees:
    learner = document["learner"]
    booster = learner["gradient_booster"]
    _refuse_uncovered(document["version"], learner, booster["name"])
    trees = booster["model"]["trees"]
    if not trees:
        raise ModelRefused("the model has no trees")
    n_features = int(learner["learner_model_param"]["num_feature"])
    sizes = np.array([len(tree["left_children"]) for tree in trees])
    offsets = np.cumsum(sizes) - sizes

    def joined(field: str) -> npt.NDArray[Any]:
        columns = [np.asarray(tree[field]) for tree in trees]
        if any(len(column) != size for column, size in zip(columns, sizes, strict=True)):
            raise ModelRefused(f"the model file is damaged: {field} does not have one value per node")
        return np.concatenate(columns)

    if joined("split_type").any():
        raise ModelRefused("the model splits on categories; the service predicts numerical splits only")
    shift = np.repeat(offsets, sizes)
    left, right = (joined(f"{side}_children").astype(np.int64) for side in ("left", "right"))
    condition = joined("split_conditions").astype(np.float32)
    feature = joined("split_indices").astype(np.int64)
    is_leaf = left == -1
    ends = np.repeat(offsets + sizes, sizes)
    inside = [(child >= 0) & (child + shift < ends) for child in (left, right)]
    if not (np.all((is_leaf & (right == -1)) | (inside[0] & inside[1])) and np.isfinite(condition).all()):
        raise ModelRefused("the model file is damaged: a node's children or its threshold are impossible")
    if not np.all((feature >= 0) & (feature < n_features)):
        raise ModelRefused(f"the model file is damaged: a split names a feature that is not among its {n_features}")

    levels = _levels(offsets, left + shift, right + shift, is_leaf)
    order = np.concatenate(levels)
    place = np.empty(len(left), np.int64)
    place[order] = np.arange(len(order))
    is_leaf = is_leaf[order]
    left = np.where(is_leaf, np.arange(len(order)), place[(left + shift)[order] * ~is_leaf])
    weight = joined("sum_hessian").astype(np.float32)[order]
    if not (np.all(is_leaf | (weight > 0)) and np.isfinite(weight).all()):
        raise ModelRefused("the model file is damaged: a split that no training row has reached")
    value = condition[order]
    with np.errstate(over="ignore", invalid="ignore"):
        _fill_means(value, weight, left, is_leaf, levels)
    if not np.isfinite(value).all():
        raise ModelRefused("the model file is damaged: the weights of its nodes are impossible")
    return Trees(
        feature_names=list(learner.get("feature_names", [])),
        n_features=n_features,
        n_trees=len(trees),
        depth=len(levels) - 1,
        base_score=_base_score(learner["learner_model_param"]["base_score"]),
        feature=np.where(is_leaf, 0, feature[order]),
        threshold=np.where(is_leaf, np.float32(np.nan), condition[order]),
        left=left,
        value=value,
    )


def _fill_means(
    value: npt.NDArray[np.float32],
    weight: npt.NDArray[np.float32],
    left: Nodes,
    is_leaf: npt.NDArray[np.bool_],
    levels: list[Nodes],
) -> None:
    """Give each inner node the mean of its children, by weight: XGBoost's `FillNodeMeanValues`, its order kept."""
    end = len(value)
    for level in reversed(levels):
        start = end - len(level)
        inner = start + np.flatnonzero(~is_leaf[start:end])
        below = left[inner]
        value[inner] = (value[below] * weight[below] + value[below + 1] * weight[below + 1]) / weight[inner]
        end = start


def _levels(roots: Nodes, left: Nodes, right: Nodes, is_leaf: npt.NDArray[np.bool_]) -> list[Nodes]:
    """The nodes by level, each level's left and right children in pairs."""
    levels, seen = [roots], len(roots)
    while len(inner := levels[-1][~is_leaf[levels[-1]]]):
        levels.append(np.stack([left[inner], right[inner]], axis=1).ravel())
        seen += len(levels[-1])
        if seen > len(left):
            break
        if len(levels) > MAX_DEPTH:
            raise ModelRefused(
                f"the model has trees deeper than {MAX_DEPTH} levels, which no prediction could wait for"
            )
    reached = np.zeros(len(left), np.bool_)
    for level in levels:
        reached[level] = True
    if seen != len(left) or not reached.all():
        raise ModelRefused("the model file is damaged: its nodes do not form trees")
    return levels


def _base_score(text: str) -> np.float32:
    """`[2.0685582E0]` since XGBoost 3.1, `2.0685582E0` before: see its `LearnerModelParam`."""
    match = re.fullmatch(r"\[?([-+.\dE]+)\]?", text)
    if match is None:
        raise ModelRefused(f"the model's base score is {text!r}; the service predicts a single output only")
    score = np.float32(match[1])
    if not np.isfinite(score):
        raise ModelRefused(f"the model's base score is {text!r}, which is not a finite number")
    return score


def refuse_newer(version: str) -> None:
    """Refuse a model whose XGBoost (`3.2.0`; empty: unknown) is newer than any that this reader is tested against."""
    match = re.match(r"(\d+)\.(\d+)", version)
    if match and (int(match[1]), int(match[2])) > NEWEST_XGBOOST:
        newest = ".".join(str(part) for part in NEWEST_XGBOOST)
        raise ModelRefused(
            f"the model was written by XGBoost {version}, newer than {newest}, the newest that this service is tested "
            "with; it might read the file wrongly. Deploy a newer service, or train with an older XGBoost"
        )


def _refuse_uncovered(version: list[int], learner: Any, booster: str) -> None:
    refuse_newer(".".join(str(part) for part in version))
    parameters = learner["learner_model_param"]
    for what, value, covered in (
        ("booster", booster, ("gbtree",)),
        ("objective", learner["objective"]["name"], ("reg:squarederror",)),
        ("number of classes", parameters["num_class"], ("0", "1")),
        ("number of targets", parameters.get("num_target", "1"), ("0", "1")),
    ):
        if value not in covered:
            raise ModelRefused(f"the model's {what} is {value!r}; the service predicts {covered[0]!r} only")
    if "best_iteration" in learner.get("attributes", {}):
        raise ModelRefused(
            "the model was stopped early, so libraries disagree on how many of its trees count; "
            "save booster[: booster.best_iteration + 1] without the attribute instead"
        )
