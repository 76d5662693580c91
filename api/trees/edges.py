"""Rows at the edges of a model's own splits, where two walks would part if they could."""

import numpy as np

from api.trees.forest import Floats
from api.trees.layout import Layout

MISSING = 0.1


def edge_rows(layout: Layout, n_features: int, n_rows: int) -> Floats:
    """Rows of which every value is one that a split of its feature asks about.

    That is a threshold, the float below it, the code of a category, named by a split or not; or it is missing. They are
    the same each time.
    """
    random = np.random.default_rng(0)
    inner = np.flatnonzero(layout.left != np.arange(len(layout.left)))
    by_feature = inner[np.argsort(layout.feature[inner], kind="stable")]
    asked = np.bincount(layout.feature[inner], minlength=n_features)
    shape = (n_rows, n_features)
    chosen = np.cumsum(asked) - asked + np.floor(random.random(shape) * asked).astype(np.int64)
    values = layout.threshold[by_feature].take(chosen, mode="clip") if len(inner) else np.zeros(shape, np.float32)
    with np.errstate(over="ignore"):  # below the lowest number is infinity
        values = np.where(random.random(shape) < 0.5, values, np.nextafter(values, np.float32(-np.inf)))
    if layout.categories is not None:
        limit = layout.categories.limit
        values = np.where(limit > 0, np.floor(random.random(shape) * (limit + 1)), values)
    # Rows that are asked for are finite.
    largest = np.finfo(np.float32).max
    return np.where(random.random(shape) < MISSING, np.nan, np.clip(values, -largest, largest)).astype(np.float32)
