"""Lays a forest out for the walk: all trees' nodes level by level, so that a step of every tree is one look-up."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from api.errors import ModelRefused
from api.trees.forest import Flags, Floats, Forest, Places, by_level

Bytes = npt.NDArray[np.uint8]

MAX_CATEGORY_BYTES = 2**28
"""Memory for the sets of all splits. Of a feature with 10,000 categories, each split takes 1,251 bytes."""


@dataclass(frozen=True)
class CategoryBits:
    """Which categories go right, a bit each: of the split at node `i`, from the byte `start[i]` on.

    Bit 0 says where a missing value goes, bit `code + 1` where a category does. The last bit of a feature, `limit`,
    stands for every code that no split of it names, and is 0 as they all go left. Nodes that are no such split start at
    the byte 0, where there are as many zeros as the longest set has bytes.
    """

    start: Places
    bits: Bytes
    limit: Places


@dataclass(frozen=True)
class Layout:
    """All trees' nodes in shared arrays, level after level: the roots come first, a right child follows its left.

    A leaf's `left` is itself and its threshold NaN, so that further steps stay where they are. Trees of several outputs
    take turns: the first tree of each output, then the second of each, and so on.
    """

    depth: int
    feature: Places
    """What a split asks about; 0 for a leaf."""
    feature_or_missing: Places
    """The same, for rows written twice: as they are, then with infinity for what is missing. NaN is not at or above any
    threshold and goes left, infinity is always; a split reads the one that goes where it learned to send it."""
    threshold: Floats
    """NaN for a leaf, and for a split on categories, which `categories` sends right."""
    left: Places
    value: Floats
    """What a tree predicts at the node: a leaf's own, elsewhere the mean over the training rows below."""
    tree_weight: Floats | None
    categories: CategoryBits | None


def lay_out(forest: Forest) -> Layout:
    """Lay a forest out.

    Raises:
        ModelRefused: its categories would fill the memory.
    """
    nodes = forest.nodes
    # By output, then in turns.
    turns = np.argsort(forest.output, kind="stable").reshape(len(forest.base_score), -1).T.ravel()
    levels = by_level(nodes.left, nodes.roots[turns])
    order = np.concatenate(levels)
    place = np.full(len(nodes.left), -1)
    place[order] = np.arange(len(order))
    is_leaf = nodes.left[order] == -1
    left = np.where(is_leaf, np.arange(len(order)), place[nodes.left[order]])
    feature = np.where(is_leaf, 0, nodes.feature[order])
    condition = nodes.condition[order]
    categorical = nodes.categorical[order] & ~is_leaf
    missing_right = ~nodes.missing_left[order]
    return Layout(
        depth=len(levels) - 1,
        feature=feature,
        feature_or_missing=feature + forest.n_features * (missing_right & ~categorical),
        threshold=np.where(is_leaf | categorical, np.float32(np.nan), condition),
        left=left,
        value=_means(condition, nodes.weight[order], left, is_leaf, [len(level) for level in levels]),
        tree_weight=None if forest.tree_weight is None else forest.tree_weight[turns],
        categories=_category_bits(forest, place, feature, categorical, missing_right) if categorical.any() else None,
    )


def _means(condition: Floats, weight: Floats, left: Places, is_leaf: Flags, sizes: list[int]) -> Floats:
    """The leaves' values, and for inner nodes the mean of their children by weight: XGBoost's `FillNodeMeanValues`.

    Where its mean is no finite number, since no row has reached the split or the sum is too large, both children count
    the same; XGBoost's contributions are NaN for such a model.
    """
    value, end = condition.copy(), len(condition)
    for size in reversed(sizes):
        start = end - size
        inner = start + np.flatnonzero(~is_leaf[start:end])
        below = left[inner]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            mean = (value[below] * weight[below] + value[below + 1] * weight[below + 1]) / weight[inner]
        value[inner] = np.where(np.isfinite(mean), mean, value[below] / 2 + value[below + 1] / 2)
        end = start
    return value


def _category_bits(
    forest: Forest, place: Places, feature: Places, categorical: Flags, missing_right: Flags
) -> CategoryBits:
    sets = forest.nodes.sets
    owner = np.repeat(place[sets.nodes], np.diff(sets.starts))
    # Pruning leaves sets behind, of nodes that are leaves now or gone.
    used = (owner >= 0) & categorical[owner]
    owner, codes = owner[used], sets.codes[used]
    limit = np.zeros(forest.n_features, np.int64)
    np.maximum.at(limit, feature[owner], codes + 2)
    splits = np.flatnonzero(categorical)
    sizes = limit[feature[splits]] // 8 + 1
    zeros = limit.max() // 8 + 1
    if zeros + sizes.sum() > MAX_CATEGORY_BYTES:
        raise ModelRefused(f"the model's splits on categories would take {sizes.sum()} bytes of memory")
    start = np.zeros(len(feature), np.int64)
    start[splits] = zeros + np.cumsum(sizes) - sizes
    bits = np.zeros(zeros + sizes.sum(), np.uint8)
    bits[start[splits]] = missing_right[splits]
    np.bitwise_or.at(bits, start[owner] + (codes + 1) // 8, np.left_shift(1, (codes + 1) % 8).astype(np.uint8))
    return CategoryBits(start, bits, limit)
