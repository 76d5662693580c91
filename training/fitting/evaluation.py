"""How good a model is: on rows it has not seen, beside baselines, and in places it has not seen."""

import math
from typing import NamedTuple

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import RegressorMixin, clone
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import GroupKFold, cross_val_score

from api.model.schema import FEATURES, TARGET
from training.tables.splitting import Split

COVERAGE = 0.9
"""How often the prediction interval must hold the true value."""

Values = npt.NDArray[np.floating] | pd.Series


class Scores(NamedTuple):
    """Root mean squared error and mean absolute error in 100,000 USD, and the share of variance explained."""

    rmse: float
    mae: float
    r2: float


def measure(model: RegressorMixin, parts: Split, train: pd.DataFrame, folds: int) -> dict[str, float]:
    """Every figure of a fitted model: on all held-out rows, as the service meets them, and in places it has not seen.

    Args:
        model: fitted on `train`.
        parts: all rows, split.
        train: the cleaned training rows.
        folds: of the spatial cross-validation.
    """
    metrics: dict[str, float] = {}
    for prefix, contender in {"": model, **baselines(train)}.items():
        scores = score(parts.test[TARGET], contender.predict(parts.test[list(FEATURES)]))
        metrics |= {f"{prefix}test_{name}": value for name, value in scores._asdict().items()}
    width = half_width(parts.calibration[TARGET], model.predict(parts.calibration[list(FEATURES)]))
    predicted = model.predict(parts.verification[list(FEATURES)])
    metrics["interval_half_width"] = width
    metrics["interval_coverage"] = coverage(parts.verification[TARGET], predicted, width)
    spatial = spatial_rmse(model, train, folds)
    return metrics if spatial is None else metrics | {"spatial_cv_rmse": spatial}


def score(true: Values, predicted: Values) -> Scores:
    """Compare predictions with true values."""
    return Scores(
        float(root_mean_squared_error(true, predicted)),
        float(mean_absolute_error(true, predicted)),
        float(r2_score(true, predicted)),
    )


def baselines(train: pd.DataFrame) -> dict[str, RegressorMixin]:
    """The two models that any other has to beat, by the prefix of their metrics: the mean, and linear regression."""
    models = {"mean_": DummyRegressor(), "linear_": LinearRegression()}
    return {name: model.fit(train[list(FEATURES)], train[TARGET]) for name, model in models.items()}


def spatial_rmse(model: RegressorMixin, table: pd.DataFrame, folds: int) -> float | None:
    """The cross-validated RMSE when whole squares of one degree are held out; None where there are fewer than `folds`.

    Random folds put a row's neighbours on both sides, which flatters a model that reads latitude and longitude.
    """
    squares = table.groupby([table["Latitude"] // 1, table["Longitude"] // 1]).ngroup()
    if squares.nunique() < folds:
        return None
    with joblib.parallel_config("threading", n_jobs=-1):
        errors = cross_val_score(
            clone(model),
            table[list(FEATURES)],
            table[TARGET],
            groups=squares,
            cv=GroupKFold(folds),
            scoring="neg_mean_squared_error",
        )
    return math.sqrt(-errors.mean())


def half_width(true: Values, predicted: Values) -> float:
    """Half the width of the 90 % interval by split conformal prediction, from rows that the model has not seen.

    The ceil((n + 1) * 0.9)-th smallest absolute error: a new row from the same source falls inside with a probability
    of at least 90 %, whatever the model (Lei et al., "Distribution-Free Predictive Inference for Regression", 2018).
    """
    errors = np.sort(np.abs(np.asarray(true) - np.asarray(predicted)))
    return float(errors[math.ceil((len(errors) + 1) * COVERAGE) - 1])


def coverage(true: Values, predicted: Values, half_width: float) -> float:
    """The share of true values within `half_width` of their prediction."""
    return float(np.mean(np.abs(np.asarray(true) - np.asarray(predicted)) <= half_width))
