"""XGBoost's trees laid flat in numpy arrays and walked together: exactly `Booster.predict`, without XGBoost.

XGBoost spends most of a single-row call on its own set-up, which is the same for one row as for a hundred. Walking the
trees ourselves takes a tenth of that, keeps 130 MB of libraries out of the image, and cannot be upset by a change of
XGBoost's version or thread count. Training refuses to publish a model for which the two differ in a single bit.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]
Predictions = npt.NDArray[np.float32]
Contributions = npt.NDArray[np.float32]
Nodes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Trees:
    """All trees' nodes in shared arrays, ordered by level: the roots come first, a right child follows its left.

    A leaf's `left` is itself and its threshold NaN, so that further steps stay where they are. A node's `value` is what
    the tree predicts there: a leaf's own, elsewhere the mean over the training rows below.
    """

    feature_names: list[str]
    n_features: int
    n_trees: int
    depth: int
    base_score: np.float32
    feature: Nodes
    threshold: npt.NDArray[np.float32]
    left: Nodes
    value: npt.NDArray[np.float32]
    objective: str = "reg:squarederror"
    kind: Literal["number", "boolean", "category"] = "number"
    n_outputs: int = 1
    linked: bool = False

    @property
    def feature_types(self) -> list[str]:
        return []

    @property
    def categories(self) -> list[tuple[str, ...]]:
        return [()] * self.n_features

    def margins(self, rows: Rows) -> Predictions:
        return self.predict(rows)

    def predict(self, rows: Rows) -> Predictions:
        """Predict finite float32 rows of shape (n, n_features); returns shape (n,), XGBoost's own floats to the bit."""
        n = len(rows)
        values = rows.ravel()
        offset = np.arange(n) * self.n_features
        node = np.arange(self.n_trees)[:, np.newaxis]
        for _ in range(self.depth):
            # One step of all trees of all rows; the roots, the same for every row, are spread by broadcasting.
            # mode="clip" spares a bounds check that was made at loading.
            value = values.take(self.feature.take(node, mode="clip") + offset, mode="clip")
            node = self.left.take(node, mode="clip") + (value >= self.threshold.take(node, mode="clip"))
        terms = np.empty((self.n_trees + 1, n), np.float32)
        terms[0] = self.base_score
        terms[1:] = self.value.take(node, mode="clip")
        # Float addition depends on its order: XGBoost adds tree after tree to the base score, so we do.
        # Reducing the outer axis adds row after row; a single column would be summed in pairs, hence accumulate.
        total: Predictions = np.add.reduce(terms, axis=0) if n > 1 else np.add.accumulate(terms, axis=0)[-1]
        return total

    def explain(self, rows: Rows) -> Contributions:
        """How far each feature pushes a prediction up or down, as XGBoost counts it.

        Each step down a tree changes what the tree predicts, and the change is put down to the feature that the step
        asked about (Saabas' method): `Booster.predict(pred_contribs=True, approx_contribs=True)`. It is not SHAP, which
        shares the change out over all orders of asking: fairer to what is asked deep in the trees, and far more work.
        Both add up to the prediction.

        Takes rows as `predict` does; returns shape (n, n_features + 1), the last column being the base value, what is
        predicted where nothing is known. A row adds up to its prediction, but for rounding.
        """
        n = len(rows)
        terms = np.zeros((self.n_trees, n, self.n_features + 1), np.float32)
        trees, row = np.ogrid[: self.n_trees, :n]
        node = np.broadcast_to(trees, (self.n_trees, n))
        terms[:, :, -1] = self.value[node]
        for _ in range(self.depth):
            feature = self.feature[node]
            below = self.left[node] + (rows[row, feature] >= self.threshold[node])
            terms[trees, row, feature] += self.value[below] - self.value[node]
            node = below
        # One tree after the other, as XGBoost adds them.
        total: Contributions = np.add.accumulate(terms, axis=0)[-1]
        total[:, -1] += self.base_score
        return total
