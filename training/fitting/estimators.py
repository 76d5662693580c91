"""The models of one table: XGBoost's, and the two plain ones that any other has to beat."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRegressor

from training.tables.description import Table

Values = npt.NDArray[np.floating]

PLAIN = "plain_"
"""Prefix of the metrics of a linear or logistic regression."""

_REFUSED = set("[]<")
"""What XGBoost takes in no feature's name."""

CONSTANT = "constant_"
"""Prefix of the metrics of the mean, or of the classes' shares."""


def features(table: pd.DataFrame, description: Table) -> pd.DataFrame:
    """The columns that a prediction is made from, in the model's order, by the names that XGBoost bears."""
    return table[list(description.features)].set_axis(names_in_model(description), axis=1)


def names_in_model(description: Table) -> list[str]:
    """The columns' names, or f0, f1, … where XGBoost refuses one of them; then the model's file has no names at all."""
    names = list(description.features)
    return [f"f{i}" for i in range(len(names))] if any(_REFUSED & set(name) for name in names) else names


def truth(table: pd.DataFrame, description: Table) -> Values:
    """The target: numbers as they are, classes as their codes."""
    column = table[description.target.column]
    codes = column.cat.codes if isinstance(column.dtype, pd.CategoricalDtype) else column
    return np.asarray(codes, np.float64)


def xgboost_model(description: Table, seed: int, parameters: Mapping[str, Any] | None = None) -> Any:
    """XGBoost's estimator for the description's target.

    One thread a fit: the sums inside XGBoost are then always taken in the same order, so the model does not depend on
    the machine.
    """
    kind = XGBRegressor if description.target.kind == "number" else XGBClassifier
    return kind(
        objective=description.objective, random_state=seed, n_jobs=1, enable_categorical=True, **(parameters or {})
    )


def baselines(train: pd.DataFrame, description: Table) -> dict[str, Any]:
    """A linear or logistic regression, and the mean or the classes' shares; fitted, by the prefix of their metrics."""
    number = description.target.kind == "number"
    models = {
        CONSTANT: DummyRegressor() if number else DummyClassifier(strategy="prior"),
        PLAIN: make_pipeline(
            _prepared(description), LinearRegression() if number else LogisticRegression(max_iter=1000)
        ),
    }
    return {name: model.fit(features(train, description), truth(train, description)) for name, model in models.items()}


def _prepared(description: Table) -> ColumnTransformer:
    """Numbers that are there and of one scale, and a column for each category."""
    kinds = dict(zip(names_in_model(description), description.features.values(), strict=True))
    categories = [name for name, says in kinds.items() if says.kind == "category"]
    numbers = [name for name in kinds if name not in categories]
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler()), numbers),
            ("categories", OneHotEncoder(handle_unknown="ignore"), categories),
        ]
    )


def no_and_yes(yes: Values) -> Values:
    """The probabilities of no and of yes, shape (n, 2), from those of yes."""
    return np.stack([1 - yes, yes], axis=1)


def predict(model: Any, table: pd.DataFrame, description: Table) -> Values:
    """What an estimator predicts: numbers of shape (n,), probabilities of the classes of shape (n, classes)."""
    rows = features(table, description)
    predicted: Values = model.predict(rows) if description.target.kind == "number" else model.predict_proba(rows)
    return predicted
