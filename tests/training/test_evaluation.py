"""The figures that a model is judged by."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from tests.california import FEATURES, TARGET
from training.fitting.evaluation import coverage, half_width, measure, score, spatial_rmse
from training.tables.cleaning import clean
from training.tables.splitting import split


def test_scores_by_hand() -> None:
    """RMSE, MAE and R² of four rows, as calculated on paper."""
    scores = score(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 2.0, 3.0, 6.0]))
    assert scores == pytest.approx((1.0, 0.5, 0.2))


def test_half_width_is_the_conformal_quantile() -> None:
    """Of 19 errors 1 to 19, the ceil(20 * 0.9) = 18th smallest: one more than the plain quantile would take."""
    assert half_width(np.arange(1.0, 20.0), np.zeros(19)) == 18.0


def test_interval_covers_new_rows() -> None:
    """Whatever the errors' distribution, about 90 % of new rows fall inside, never clearly fewer."""
    random = np.random.default_rng(0)
    for draw in (random.normal, random.standard_cauchy, random.exponential):
        width = half_width(draw(size=20_000), np.zeros(20_000))
        assert coverage(draw(size=20_000), np.zeros(20_000), width) == pytest.approx(0.9, abs=0.01)


def test_measures(table: pd.DataFrame) -> None:
    """All held-out rows are measured, and for the linear model its own baseline figures come out."""
    parts = split(table)
    train = clean(parts.train).table
    model = LinearRegression().fit(train[list(FEATURES)], train[TARGET])
    metrics = measure(model, parts, train, 5)
    predicted = model.predict(parts.test[list(FEATURES)])
    assert metrics["test_rmse"] == metrics["linear_test_rmse"] == score(parts.test[TARGET], predicted).rmse
    assert metrics["mean_test_rmse"] > metrics["linear_test_rmse"]
    assert metrics["mean_test_r2"] == pytest.approx(0, abs=0.02)
    assert metrics["interval_coverage"] == pytest.approx(0.9, abs=0.03)
    assert metrics["spatial_cv_rmse"] > 0


def test_spatial_folds_keep_squares_together(table: pd.DataFrame) -> None:
    """A model that memorises places is found out: its error in unseen squares exceeds that of a random split."""
    from sklearn.neighbors import KNeighborsRegressor

    places = table.assign(**{name: 0.0 for name in FEATURES if name not in ("Latitude", "Longitude")})
    train, test = split(places)
    columns = list(FEATURES)
    memory = KNeighborsRegressor(3).fit(train[columns], train[TARGET])
    random = score(test[TARGET], memory.predict(test[columns])).rmse
    spatial = spatial_rmse(memory, places, 5)
    assert spatial is not None
    assert spatial > 1.3 * random


def test_too_few_squares(table: pd.DataFrame) -> None:
    """Rows from one place give no spatial figure."""
    one_place = table.assign(Latitude=37.5, Longitude=-122.5)
    assert spatial_rmse(LinearRegression(), one_place, 5) is None
