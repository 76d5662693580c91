"""The answers that a model was published with: a few rows, and what XGBoost predicts for them."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost

from api.store.manifest import KnownAnswers
from api.store.schema import Schema
from training.fitting.estimators import Values
from training.rows.encoding import numbers

SPREAD = 10
"""Rows from the lowest prediction to the highest."""


def known_answers(booster: xgboost.Booster, rows: pd.DataFrame, predicted: Values, schema: Schema) -> KnownAnswers:
    """Held-out rows over the whole range of predictions, each category and each missing column among them.

    Args:
        booster: the model.
        rows: held-out rows, as it takes them.
        predicted: the estimator's prediction for each.
        schema: of the table.
    """
    ranked = predicted if predicted.ndim == 1 else predicted.max(axis=1)
    spread = np.argsort(ranked, kind="stable")[np.linspace(0, len(ranked) - 1, SPREAD).astype(int)]
    chosen = rows.iloc[list(dict.fromkeys([*spread, *_rare(rows)]))]
    matrix = xgboost.DMatrix(chosen, enable_categorical=True)
    model_rows = numbers(chosen.set_axis(schema.names, axis=1), schema)
    return recorded(model_rows, booster.predict(matrix, output_margin=True), booster.predict(matrix))


def recorded(rows: npt.NDArray[np.float32], scores: Values, predictions: Values) -> KnownAnswers:
    """Rows in the model's numbers with their raw scores and predictions, as a manifest has them."""
    return KnownAnswers(
        rows=[[None if np.isnan(value) else value for value in row] for row in rows.tolist()],
        scores=_as_lists(scores),
        predictions=_as_lists(predictions),
    )


def _rare(rows: pd.DataFrame) -> list[int]:
    """The first row with each category, and the first in which each column is missing."""
    places = []
    for column in (rows[name] for name in rows.columns):
        if isinstance(column.dtype, pd.CategoricalDtype):
            places += np.unique(column.cat.codes.to_numpy(), return_index=True)[1].tolist()
        elif column.isna().any():
            places.append(int(column.isna().to_numpy().argmax()))
    return places


def _as_lists(values: Values) -> list[list[float]]:
    found: list[list[float]] = values.reshape(len(values), -1).tolist()
    return found
