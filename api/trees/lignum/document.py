"""Writes a checked forest as the plainest file that XGBoost could have saved, for a reader that is not ours.

Whatever a foreign file held, this one has the nodes that a walk reaches and nothing else: every number was checked when
the forest was read, weights of dropout are multiplied into the leaves, and no text of the file is left.
"""

import struct
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from api.errors import ModelRefused
from api.trees.categories import Sets
from api.trees.forest import LEAF, LOWEST, Forest, Places, by_level

SIZE = struct.Struct(">q").pack
TYPES = {
    np.dtype("float32"): (b"d", ">f4"),
    np.dtype("int32"): (b"l", ">i4"),
    np.dtype("int64"): (b"L", ">i8"),
    np.dtype("uint8"): (b"U", "u1"),
}
"""UBJSON's marker and numpy's type of an array's numbers."""

Columns = dict[str, npt.NDArray[Any]]


def write(forest: Forest) -> bytes:
    """The forest in UBJSON, as a regression or a model of several classes that has its raw scores to the bit.

    Raises:
        ModelRefused: a leaf is no finite number once it has its tree's weight.
    """
    outputs = len(forest.base_score)
    several = {"name": "multi:softprob", "softmax_multiclass_param": {"num_class": str(outputs)}}
    one = {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}}
    trees = _trees(forest)
    return _encoded(
        {
            "learner": {
                "attributes": {},
                "feature_names": [],
                "feature_types": [],
                "gradient_booster": {
                    "name": "gbtree",
                    "model": {
                        "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(len(trees))},
                        "trees": trees,
                        "tree_info": forest.output.astype(np.int32),
                    },
                },
                "learner_model_param": {
                    "base_score": f"[{','.join(repr(float(score)) for score in forest.base_score)}]",
                    "num_class": str(outputs if outputs > 1 else 0),
                    "num_feature": str(forest.n_features),
                    "num_target": "1",
                },
                "objective": several if outputs > 1 else one,
            },
            "version": np.array([3, 2, 0], np.int32),
        }
    )


def _trees(forest: Forest) -> list[dict[str, Any]]:
    nodes = forest.nodes
    # In the file's order, without what pruning left behind.
    reached = np.sort(np.concatenate(by_level(nodes.left, nodes.roots)))
    tree = np.searchsorted(nodes.roots, reached, side="right") - 1
    # Where each tree's nodes begin among those that are reached.
    starts = np.searchsorted(reached, nodes.roots)
    # Children are neighbours in the file, and stay so.
    is_leaf = nodes.left[reached] == LEAF
    left = np.where(is_leaf, LEAF, np.searchsorted(reached, nodes.left[reached]) - starts[tree])
    value = nodes.condition[reached]
    if forest.tree_weight is not None:
        with np.errstate(over="ignore"):
            value = np.where(is_leaf, value * forest.tree_weight[tree], value)
        if not np.isfinite(value[is_leaf]).all():
            raise ModelRefused("the model's leaves, times the weights of their trees, are no finite numbers")
    categorical = nodes.categorical[reached] & ~is_leaf
    # The reader has no infinities.
    all_left = np.isposinf(value) & ~is_leaf & ~categorical
    value = np.where(np.isinf(value), LOWEST, value)
    columns: Columns = {
        "left_children": (left + all_left).astype(np.int32),
        "right_children": np.where(is_leaf, LEAF, left + ~all_left).astype(np.int32),
        "split_indices": np.where(is_leaf, 0, nodes.feature[reached]).astype(np.int32),
        "split_conditions": np.where(categorical, np.float32(0), value),
        "split_type": categorical.astype(np.uint8),
        "default_left": (nodes.missing_left[reached] ^ all_left).astype(np.uint8),
    }
    sets = _Sets.of(nodes.sets, reached[categorical], np.searchsorted(tree[categorical], np.arange(len(starts) + 1)))
    own_place = (np.arange(len(reached)) - starts[tree])[categorical].astype(np.int32)
    ends = [*starts[1:].tolist(), len(reached)]
    return [
        {
            "id": number,
            "tree_param": {"num_feature": str(forest.n_features), "num_nodes": str(end - start)},
            **{name: column[start:end] for name, column in columns.items()},
            **sets.of_tree(number, own_place),
        }
        for number, (start, end) in enumerate(zip(starts.tolist(), ends, strict=True))
    ]


@dataclass(frozen=True)
class _Sets:
    """The sets of categories of the splits that are reached, of tree `i` those from `bounds[i]` to `bounds[i + 1]`."""

    bounds: Places
    sizes: Places
    starts: Places
    codes: npt.NDArray[np.int32]

    @classmethod
    def of(cls, sets: Sets, splits: Places, bounds: Places) -> Self:
        kept = np.searchsorted(sets.nodes, splits)
        sizes = np.diff(sets.starts)[kept]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        codes = np.arange(starts[-1]) + np.repeat(sets.starts[kept] - starts[:-1], sizes)
        return cls(bounds, sizes, starts, sets.codes[codes].astype(np.int32))

    def of_tree(self, number: int, places: npt.NDArray[np.int32]) -> Columns:
        first, last = self.bounds[number], self.bounds[number + 1]
        start, end = self.starts[first], self.starts[last]
        return {
            "categories_nodes": places[first:last],
            "categories_segments": self.starts[first:last] - start,
            "categories_sizes": self.sizes[first:last],
            "categories": self.codes[start:end],
        }


def _encoded(value: Any) -> bytes:
    """UBJSON of what a document is made of: objects, arrays, texts and whole numbers."""
    match value:
        case dict():
            return b"".join([b"{", *(_text(key) + _encoded(each) for key, each in value.items()), b"}"])
        case list():
            return b"".join([b"[", *map(_encoded, value), b"]"])
        case str():
            return b"S" + _text(value)
        case int():
            return b"L" + SIZE(value)
        case np.ndarray():
            marker, kind = TYPES[value.dtype]
            return b"".join([b"[$", marker, b"#L", SIZE(len(value)), value.astype(kind).tobytes()])
    raise TypeError(type(value))


def _text(text: str) -> bytes:
    return b"L" + SIZE(len(text.encode())) + text.encode()
