"""What XGBoost's trees predict, exactly `Booster.predict`, without XGBoost; and what each feature contributed.

XGBoost spends most of a single-row call on its own set-up, brings 130 MB of libraries, and changes. Here lignum walks
the trees for raw scores (`lignum/`). Contributions are walked in numpy, all trees together, and so are the scores of
a few rows when a model is loaded: two programs that have nothing in common must agree on it to the bit. Training
refuses to publish a model for which XGBoost differs from them in a single one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from api.errors import ModelRefused
from api.trees.categories import Names
from api.trees.edges import edge_rows
from api.trees.forest import Floats, Forest, Places
from api.trees.layout import Layout, lay_out
from api.trees.lignum.scoring import FEW_ROWS, Scorer
from api.trees.objectives import Objective

Rows = npt.NDArray[np.float32]
Predictions = npt.NDArray[np.float32]
Contributions = npt.NDArray[np.float32]

STEPS_AT_ONCE = 2**16
"""Rows times trees walked together: some 2 MB of memory, whatever is asked for."""

ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class Trees:
    """A model that predicts. Rows are float32 of shape (n, n_features), in the order of the model's columns.

    A value is a finite number, NaN where it is missing, or the code of a category.
    """

    objective: Objective
    n_features: int
    n_trees: int
    feature_names: list[str]
    feature_types: Sequence[str]
    categories: list[Names | None]
    base_score: Floats
    scorer: Scorer
    layout: Layout

    @classmethod
    def of(cls, forest: Forest) -> Self:
        """Lay a forest out for walking.

        Raises:
            ModelRefused: its categories would fill the memory, or the two walks differ on it.
        """
        # First: it bounds the memory that either takes.
        layout = lay_out(forest)
        trees = cls(
            objective=forest.objective,
            n_features=forest.n_features,
            n_trees=len(forest.output),
            feature_names=forest.feature_names,
            feature_types=forest.feature_types,
            categories=forest.categories,
            base_score=forest.base_score,
            scorer=Scorer.of(forest),
            layout=layout,
        )
        # Few rows and many are not walked alike.
        rows = edge_rows(layout, forest.n_features, 2 * FEW_ROWS)
        expected = trees.margins_by_numpy(rows)
        both = (few_at_a_time(trees.margins, rows), trees.margins(rows))
        if not all(np.array_equal(walked, expected, equal_nan=True) for walked in both):
            raise ModelRefused(
                "lignum and numpy do not walk the model's trees alike: the service would predict wrongly"
            )
        return trees

    @property
    def n_outputs(self) -> int:
        """One, or the number of classes."""
        return len(self.base_score)

    @property
    def n_classes(self) -> int:
        """Classes that the model tells apart; none where it predicts a number."""
        return {"number": 0, "boolean": 2, "category": self.n_outputs}[self.objective.kind]

    @property
    def steps(self) -> int:
        """Steps that a row takes, down all trees and at last to the leaves' values; its time follows from them."""
        return self.n_trees * (self.layout.depth + 1)

    def room_for(self, rows: int) -> Predictions:
        """An array that takes what `predict` answers for so many rows; what it holds is not said."""
        return np.empty((rows, self.n_outputs) if self.n_outputs > 1 else rows, np.float32)

    def predict(self, rows: Rows) -> Predictions:
        """What XGBoost predicts: shape (n,), or (n, n_outputs) with each class's probability."""
        return self.objective.link.answer(self.margins(rows))

    def margins(self, rows: Rows) -> Predictions:
        """The raw scores, before the link function: XGBoost's own floats to the bit, in `predict`'s shape."""
        return self.scorer.scores(rows)

    def margins_by_numpy(self, rows: Rows) -> Predictions:
        """The same by another walk, several times slower, to hold against the first."""
        at_once = min(ROWS_AT_ONCE, max(1, STEPS_AT_ONCE // self.n_outputs))
        if len(rows) > at_once:
            starts = range(0, len(rows), at_once)
            return np.concatenate([self.margins_by_numpy(rows[start : start + at_once]) for start in starts])
        scores = self._scores(rows)
        return scores[0] if self.n_outputs == 1 else np.ascontiguousarray(scores.T)

    def explain(self, rows: Rows) -> Contributions:
        """How far each feature pushes a raw score up or down, as XGBoost counts it.

        Each step down a tree changes what the tree predicts, and the change is put down to the feature that the step
        asked about (Saabas' method): `Booster.predict(pred_contribs=True, approx_contribs=True)`. It is not SHAP, which
        shares the change out over all orders of asking: fairer to what is asked deep in the trees, and far more work.
        Both add up to the raw score, but for rounding.

        Returns:
            Shape (n, n_features + 1), or (n, n_outputs, n_features + 1) for classes. The last column is the base value,
            what is predicted where nothing is known.
        """
        at_once = max(1, STEPS_AT_ONCE // (self.n_outputs * (self.n_features + 1)))
        if len(rows) > at_once:
            starts = range(0, len(rows), at_once)
            return np.concatenate([self.explain(rows[start : start + at_once]) for start in starts])
        pushes = self._contributions(rows)
        return pushes[0] if self.n_outputs == 1 else np.ascontiguousarray(np.swapaxes(pushes, 0, 1))

    def _scores(self, rows: Rows) -> Floats:
        """Raw scores of shape (n_outputs, n)."""
        layout = self.layout
        asked = _Asked.of(rows, layout)
        total = np.repeat(self.base_score, len(rows))
        for first, last in self._blocks(len(rows)):
            node = np.arange(first, last)[:, np.newaxis]
            for _ in range(layout.depth):
                node = asked.below(node)
            value = layout.value.take(node, mode="clip")
            if layout.tree_weight is not None:
                value = value * layout.tree_weight[first:last, np.newaxis]
            terms = _terms(total, (last - first) // self.n_outputs)
            terms[1:].reshape(last - first, -1)[:] = value
            total = _added(terms)
        return total.reshape(self.n_outputs, -1)

    def _contributions(self, rows: Rows) -> Floats:
        """Contributions of shape (n_outputs, n, n_features + 1)."""
        asked = _Asked.of(rows, self.layout)
        n, width, value = len(rows), self.n_features + 1, self.layout.value
        total = np.zeros(self.n_outputs * n * width, np.float32)
        for first, last in self._blocks(n * width):
            terms = _terms(total, (last - first) // self.n_outputs)
            pushes = terms[1:].reshape(last - first, n, width)
            trees, row = np.ogrid[: last - first, :n]
            node = np.broadcast_to(trees + first, (last - first, n))
            pushes[:] = 0
            pushes[:, :, -1] = value[node]
            for _ in range(self.layout.depth):
                below = asked.below(node)
                pushes[trees, row, self.layout.feature[node]] += value[below] - value[node]
                node = below
            if self.layout.tree_weight is not None:
                pushes *= self.layout.tree_weight[first:last, np.newaxis, np.newaxis]
            total = _added(terms)
        contributions = total.reshape(self.n_outputs, n, width)
        contributions[:, :, -1] += self.base_score[:, np.newaxis]
        return contributions

    def _blocks(self, per_tree: int) -> list[tuple[int, int]]:
        """The trees that are walked together: a turn of all outputs at least."""
        size = self.n_outputs * max(1, STEPS_AT_ONCE // max(1, per_tree * self.n_outputs))
        return [(first, min(first + size, self.n_trees)) for first in range(0, self.n_trees, size)]


def few_at_a_time(walk: Callable[[Rows], Predictions], rows: Rows) -> Predictions:
    """What `margins` or `predict` of a model gives for rows that are asked for in calls of `FEW_ROWS`."""
    return np.concatenate([walk(rows[start : start + FEW_ROWS]) for start in range(0, len(rows), FEW_ROWS)])


def _terms(total: Floats, turns: int) -> Floats:
    """Room for the terms of each output's and row's sum: what it is so far, and what each of its next trees adds."""
    terms = np.empty((1 + turns, len(total)), np.float32)
    terms[0] = total
    return terms


def _added(terms: Floats) -> Floats:
    """Add tree after tree, as XGBoost does: the rounding of a float sum depends on its order.

    Reducing the outer axis adds row after row; a single column would be summed in pairs, hence accumulate.
    """
    added: Floats = np.add.reduce(terms, axis=0) if terms.shape[1] > 1 else np.add.accumulate(terms, axis=0)[-1]
    return added


class _Asked(NamedTuple):
    """Rows, written as the splits of a layout ask for them."""

    layout: Layout
    feature: Places
    offset: Places | None
    values: Floats
    codes: Places | None

    @classmethod
    def of(cls, rows: Rows, layout: Layout) -> Self:
        feature, missing = layout.feature, np.isnan(rows)
        if missing.any():
            feature = layout.feature_or_missing
            rows = np.concatenate([rows, np.where(missing, np.float32(np.inf), rows)], axis=1)
        return cls(
            layout=layout,
            feature=feature,
            offset=np.arange(len(rows)) * rows.shape[1] if len(rows) > 1 else None,
            values=rows.ravel(),
            codes=None if layout.categories is None else _codes(rows, layout.categories.limit).ravel(),
        )

    def below(self, node: Places) -> Places:
        """The nodes a step below these, of shape (trees, n) or, the same for all rows, (trees, 1).

        mode="clip" spares a bounds check that was made at loading.
        """
        layout = self.layout
        place = self.feature.take(node, mode="clip")
        if self.offset is not None:
            place = place + self.offset
        right = self.values.take(place, mode="clip") >= layout.threshold.take(node, mode="clip")
        below: Places = layout.left.take(node, mode="clip") + right
        if self.codes is not None and (sets := layout.categories) is not None:
            code = self.codes.take(place, mode="clip")
            byte = sets.bits.take(sets.start.take(node, mode="clip") + (code >> 3), mode="clip")
            below += (byte >> (code & 7)) & 1
        return below


def _codes(rows: Rows, limit: Places) -> Places:
    """The bit of each value, were it the code of a category: 0 if missing, code + 1, or the limit."""
    limit = np.tile(limit, rows.shape[1] // len(limit))
    known = (rows >= 0) & (rows < limit)
    return np.where(known, np.where(known, rows, 0).astype(np.int64) + 1, np.where(np.isnan(rows), 0, limit))
