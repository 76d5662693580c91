"""Trees whose levels share the lines of the processor's cache, so that a forest fills as few as it can.

Walked by bins, a line holds three levels of a tree, counted from its root (lignum's `BNode`). A tree of eight levels
has its last two alone in their lines, 64 of them and each half empty; begun with a split that sends every row the same
way, it has its last three together, in 32.
"""

import dataclasses

import numpy as np

from api.trees.forest import LEAF, LOWEST, Forest, Places, by_level

LEVELS = 3


def aligned(forest: Forest) -> Forest:
    """The same trees, each below as many splits as it needs, which send every row to the right."""
    nodes = forest.nodes
    added = 2 * _splits_to_add(forest)
    moved = np.repeat(np.cumsum(added), np.diff(nodes.roots, append=len(nodes.left)))
    # Splits, each with the leaf on its left that no row reaches; what is right of it comes next.
    before = np.repeat(nodes.roots, added)
    is_split = np.arange(len(before)) % 2 == 0
    left = np.where(is_split, before + np.arange(len(before)) + 1, LEAF)
    return dataclasses.replace(
        forest,
        nodes=dataclasses.replace(
            nodes,
            roots=nodes.roots + np.cumsum(added) - added,
            left=np.insert(np.where(nodes.left == LEAF, LEAF, nodes.left + moved), before, left),
            feature=np.insert(nodes.feature, before, nodes.feature[before]),
            condition=np.insert(nodes.condition, before, np.where(is_split, LOWEST, 0)),
            missing_left=np.insert(nodes.missing_left, before, False),
            categorical=np.insert(nodes.categorical, before, False),
            sets=dataclasses.replace(nodes.sets, nodes=nodes.sets.nodes + moved[nodes.sets.nodes]),
            weight=np.insert(nodes.weight, before, 0),
        ),
    )


def _splits_to_add(forest: Forest) -> Places:
    """Of each tree, with how many it fills the fewest lines; none where its own first split is on a category."""
    nodes = forest.nodes
    n_trees = len(nodes.roots)
    at_level = np.zeros((LEVELS, n_trees), np.int64)
    for level, places in enumerate(by_level(nodes.left, nodes.roots)):
        splits = places[nodes.left[places] != LEAF]
        tree = np.searchsorted(nodes.roots, splits, side="right") - 1
        at_level[level % LEVELS] += np.bincount(tree, minlength=n_trees)
    # A line begins at each split whose level, counted with those that are added, is a multiple of three.
    lines = [at_level[-count % LEVELS] + (count > 0) for count in range(LEVELS)]
    return np.where(nodes.categorical[nodes.roots], 0, np.argmin(lines, axis=0))
