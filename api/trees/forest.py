"""A model's trees as its file has them, checked: what a walk may rely on, and nothing of how it walks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from api.trees.categories import Names, Sets
from api.trees.objectives import Objective

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LEAF = -1
"""Where a split would name its left child."""

LOWEST = np.finfo(np.float32).min
"""No finite number is below it: as a threshold it sends every row to the right."""


@dataclass(frozen=True)
class Nodes:
    """The nodes of all trees, one tree after the other, in the file's order. A node's place is its index here.

    Only what is reached from the roots was checked: pruning leaves deleted nodes behind.
    """

    roots: Places
    """In the order of the trees."""
    left: Places
    """The place of the left child, the right one being the next; or `LEAF`."""
    feature: Places
    """What a split asks about."""
    condition: Floats
    """A split's threshold, never NaN: a smaller value goes left. A leaf's value, finite."""
    missing_left: Flags
    """Where a split sends a missing value."""
    categorical: Flags
    """Whether a split goes by its set of categories instead of its threshold."""
    sets: Sets
    weight: Floats
    """The hessians of the training rows that passed the node, added up; finite."""


@dataclass(frozen=True)
class Forest:
    """A model.

    Its raw score for output `k` is `base_score[k]` plus each leaf's value times its tree's weight, over the trees with
    `output == k`, added in float32 in the order of the trees. Its answer is `objective.link.answer` of the raw scores.
    """

    objective: Objective
    n_features: int
    feature_names: list[str]
    """In the order of the columns; empty: the file names none."""
    feature_types: Sequence[str]
    """As in the file: `c` for codes of categories, anything else for numbers; empty: the file does not say."""
    categories: list[Names | None]
    """Each feature's categories in the order of their codes; None for a number, or where the file does not say."""
    base_score: Floats
    """One raw score for each output."""
    output: Places
    """The output that each tree adds to; all have as many trees."""
    tree_weight: Floats | None
    """Dropout's weight of each tree; None: none has one."""
    nodes: Nodes


def by_level(left: Places, roots: Places) -> list[Places]:
    """The places that are reached from the roots, level after level: of each split its left child, then its right."""
    levels = [roots]
    while len(inner := levels[-1][left[levels[-1]] != LEAF]):
        levels.append(np.stack([left[inner], left[inner] + 1], axis=1).ravel())
    return levels
