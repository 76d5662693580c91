"""Joins a file's trees into shared arrays, and refuses those that are not whole."""

from typing import Any

import numpy as np
import numpy.typing as npt

from api.errors import ModelRefused
from api.trees import categories, fields
from api.trees.forest import Nodes, Places

MAX_DEPTH = 256

NOBODY = 2**31 - 1
"""The parent of a root, and the feature of a node that pruning deleted."""

PER_NODE = (
    "left_children",
    "right_children",
    "parents",
    "split_indices",
    "split_conditions",
    "split_type",
    "default_left",
    "sum_hessian",
    "base_weights",
    "loss_changes",
)


def join(trees: list[fields.Tree], n_features: int) -> Nodes:
    """Join the trees' nodes.

    Raises:
        ModelRefused: they are not whole trees, or say impossible things.
    """
    for number, tree in enumerate(trees):
        _check_sizes(tree, number, n_features)
    sizes = np.array([len(tree.left_children) for tree in trees])
    roots = np.cumsum(sizes) - sizes
    shift = np.repeat(roots, sizes)

    def joined(field: str, kind: npt.DTypeLike) -> npt.NDArray[Any]:
        return np.concatenate([getattr(tree, field) for tree in trees]).astype(kind)

    left, right = joined("left_children", np.int64), joined("right_children", np.int64)
    left, right = np.where(left == -1, -1, left + shift), np.where(right == -1, -1, right + shift)
    parent = _parents(joined("parents", np.int64), roots, sizes)
    nodes = Nodes(
        roots=roots,
        left=left,
        feature=joined("split_indices", np.int64),
        condition=joined("split_conditions", np.float32),
        missing_left=_flags("default_left", joined("default_left", np.uint8)),
        categorical=_flags("split_type", joined("split_type", np.uint8)),
        sets=categories.joined(trees, roots),
        weight=joined("sum_hessian", np.float32),
    )
    reached = _reached(roots, left, right, parent)
    # XGBoost keeps features and default directions in one number: a negative feature would become another one.
    if (nodes.feature < 0).any():
        raise ModelRefused("the model file is damaged: a node's feature is negative")
    _check_deleted(nodes, reached, [int(tree.tree_param.num_deleted) for tree in trees])
    _check_reached(nodes, reached, n_features)
    return nodes


def _check_sizes(tree: fields.Tree, number: int, n_features: int) -> None:
    size = int(tree.tree_param.num_nodes)
    if tree.id != number:
        raise ModelRefused(f"the model file is damaged: its tree {number} has the id {tree.id}")
    if int(tree.tree_param.num_feature) != n_features:
        raise ModelRefused(f"the model file is damaged: its tree {number} is not for {n_features} features")
    for field in PER_NODE:
        if size == 0 or len(getattr(tree, field)) != size:
            raise ModelRefused(f"the model file is damaged: {field} of its tree {number} is not for {size} nodes")


def _flags(field: str, values: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    if (values > 1).any():
        raise ModelRefused(f"the model file is damaged: {field} is neither 0 nor 1")
    return values.astype(np.bool_)


def _parents(parent: Places, roots: Places, sizes: Places) -> Places:
    """The place of each node's parent; -1 for a root."""
    is_root = np.zeros(len(parent), np.bool_)
    is_root[roots] = True
    inside = (parent >= 0) & (parent < np.repeat(sizes, sizes))
    if not np.where(is_root, parent == NOBODY, inside).all():
        raise ModelRefused("the model file is damaged: a node's parent is impossible")
    return np.where(is_root, -1, parent + np.repeat(roots, sizes))


def _reached(roots: Places, left: Places, right: Places, parent: Places) -> Places:
    """What a walk can reach. As each child must name its parent, none is reached twice: they are trees."""
    levels = [roots]
    while len(inner := levels[-1][left[levels[-1]] != -1]):
        if len(levels) > MAX_DEPTH:
            raise ModelRefused(
                f"the model has trees of more than {MAX_DEPTH} levels, which no prediction could wait for"
            )
        child = left[inner]
        # XGBoost does not look at the right child: it takes the left one's neighbour.
        if not ((child >= 0) & (child < len(left) - 1) & (right[inner] == child + 1)).all():
            raise ModelRefused("the model file is damaged: a split's children are impossible")
        levels.append(np.stack([child, child + 1], axis=1).ravel())
        if not np.array_equal(parent[levels[-1]], np.repeat(inner, 2)):
            raise ModelRefused("the model file is damaged: its nodes do not form trees")
    return np.concatenate(levels)


def _check_deleted(nodes: Nodes, reached: Places, noted: list[int]) -> None:
    """What is not reached must be marked as deleted, and counted."""
    deleted = (nodes.feature == NOBODY) & nodes.missing_left
    deleted[nodes.roots] = False
    alive = np.zeros(len(deleted), np.bool_)
    alive[reached] = True
    if (alive == deleted).any() or np.add.reduceat(deleted, nodes.roots, dtype=np.int64).tolist() != noted:
        raise ModelRefused("the model file is damaged: it has nodes that are neither in a tree nor deleted")


def _check_reached(nodes: Nodes, reached: Places, n_features: int) -> None:
    is_leaf = nodes.left[reached] == -1
    condition, feature = nodes.condition[reached], nodes.feature[reached]
    if not (is_leaf | (feature < n_features)).all():
        raise ModelRefused(f"the model file is damaged: a split names a feature that is not among its {n_features}")
    if not np.where(is_leaf, np.isfinite(condition), nodes.categorical[reached] | ~np.isnan(condition)).all():
        raise ModelRefused("the model file is damaged: a threshold or a leaf's value is impossible")
    if not np.isfinite(nodes.weight[reached]).all():
        raise ModelRefused("the model file is damaged: the weights of its nodes are impossible")
