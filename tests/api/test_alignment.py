"""Trees that are moved down by a split or two, so that their levels share the lines of the processor's cache."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from api.trees import xgboost_file
from api.trees.categories import Sets
from api.trees.forest import LEAF, Forest, Nodes
from api.trees.lignum.alignment import aligned
from api.trees.lignum.scoring import _stored
from api.trees.walk import Trees

MODELS = Path(__file__).with_name("models")


def forest_of(*depths: int, thresholds: int | None = None) -> Forest:
    """Complete trees on one feature, the split at place `i` of a tree asking about `i`, or about fewer thresholds."""
    sizes = [2 ** (depth + 1) - 1 for depth in depths]
    starts = np.cumsum([0, *sizes])
    place = np.concatenate([np.arange(size) for size in sizes])
    is_leaf = np.concatenate([np.arange(size) >= size // 2 for size in sizes])
    start = np.repeat(starts[:-1], sizes)
    nothing = np.zeros(len(place), bool)
    model = xgboost_file.read("plain.ubj", (MODELS / "3.4.1/plain.ubj").read_bytes())
    return replace(
        model,
        n_features=1,
        feature_names=[],
        feature_types=[],
        categories=[None],
        output=np.zeros(len(depths), np.int64),
        nodes=Nodes(
            roots=starts[:-1],
            left=np.where(is_leaf, LEAF, start + 2 * place + 1),
            feature=np.zeros(len(place), np.int64),
            condition=(place % (thresholds or len(place))).astype(np.float32),
            missing_left=place % 3 == 0,
            categorical=nothing,
            sets=Sets(np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros(0, np.int64)),
            weight=np.ones(len(place), np.float32),
        ),
    )


def lines(forest: Forest) -> list[int]:
    """How many lines each tree fills, a line holding a split and the two levels below it."""

    def below(place: int) -> int:
        levels = [[place]]
        for _ in range(3):
            inner = [each for each in levels[-1] if left[each] != LEAF]
            levels.append([child for each in inner for child in (left[each], left[each] + 1)])
        return (left[place] != LEAF) + sum(map(below, levels[3]))

    left: list[int] = forest.nodes.left.tolist()
    return [below(root) for root in forest.nodes.roots.tolist()]


def test_trees_fill_fewer_lines() -> None:
    """Each tree is moved down so far that it fills the fewest lines, and no further."""
    forest = forest_of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
    assert lines(forest) == [0, 1, 1, 1, 9, 9, 9, 73, 73, 73]
    assert lines(aligned(forest)) == [0, 1, 1, 1, 3, 5, 9, 19, 37, 73]
    assert lines(aligned(aligned(forest))) == lines(aligned(forest))


@pytest.mark.parametrize("file", sorted(MODELS.glob("*/*.[uj]*")), ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_scores_stay_the_same(file: Path) -> None:
    """A model has the same raw scores when its trees are moved down, in a walk that knows nothing of it."""
    forest = xgboost_file.read(file.name, file.read_bytes())
    rows = np.load(file.with_suffix(".npz"))["rows"]
    np.testing.assert_array_equal(
        Trees.of(aligned(forest)).margins_by_numpy(rows), Trees.of(forest).margins_by_numpy(rows)
    )
    assert sum(lines(aligned(forest))) <= sum(lines(forest))


@pytest.mark.parametrize("thresholds", [65_000, 70_000])
def test_more_thresholds_than_bins(thresholds: int) -> None:
    """A feature with more thresholds than there are bins is walked by the thresholds themselves, to the same bits."""
    trees = Trees.of(forest_of(16, 8, thresholds=thresholds))
    rows = np.random.default_rng(0).uniform(-1, thresholds, (200, 1)).astype(np.float32)
    rows[::7] = np.nan
    expected = trees.margins_by_numpy(rows)
    np.testing.assert_array_equal(trees.margins(rows), expected)
    np.testing.assert_array_equal(np.concatenate([trees.margins(row[np.newaxis]) for row in rows]), expected)
    for scorer in (trees.scorer, pickle.loads(pickle.dumps(trees.scorer))):
        assert (scorer._few.uses_binned, scorer._many.uses_binned) == (thresholds == 65_000, False)


@pytest.mark.parametrize("thresholds", [65_000, 70_000])
def test_what_is_warmed_is_what_many_rows_are_walked_by(thresholds: int) -> None:
    """In the process that serves; in the one that loads there is no file to read, and nothing is done."""
    trees = Trees.of(forest_of(16, 8, thresholds=thresholds))
    trees.scorer.warm()
    served = pickle.loads(pickle.dumps(trees.scorer))
    served.warm()
    assert served._pages.tobytes() == _stored(served._many)
