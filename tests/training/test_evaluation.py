"""The figures that a model is judged by."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from tests.california import TABLE
from training.fitting.estimators import PLAIN, features, predict, truth
from training.fitting.evaluation import measure
from training.fitting.scores import losses, score
from training.rows.cleaning import clean
from training.rows.splitting import split


def test_scores_of_numbers_by_hand() -> None:
    """RMSE, MAE and R² of four rows, as calculated on paper."""
    scores = score(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 2.0, 3.0, 6.0]))
    assert scores == pytest.approx({"rmse": 1.0, "mae": 0.5, "r2": 0.2})


def test_scores_of_classes_by_hand() -> None:
    """Log loss, ROC AUC, Brier score and accuracy of four rows, as calculated on paper."""
    said = np.array([[0.8, 0.2], [0.4, 0.6], [0.5, 0.5], [0.1, 0.9]])
    scores = score(np.array([0.0, 1.0, 1.0, 1.0]), said)
    assert scores["log_loss"] == pytest.approx(-np.log([0.8, 0.6, 0.5, 0.9]).mean())
    assert scores["roc_auc"] == 1.0
    assert scores["brier"] == pytest.approx(np.mean([0.2**2, 0.4**2, 0.5**2, 0.1**2]))
    assert scores["accuracy"] == 0.75


def test_the_mean_loss_is_the_score() -> None:
    """What the gate compares row by row adds up to what is reported."""
    random = np.random.default_rng(0)
    said = random.dirichlet([1, 1, 1], 100)
    codes = random.integers(3, size=100).astype(float)
    assert losses(codes, said).mean() == pytest.approx(score(codes, said)["log_loss"])


def test_measures(table: pd.DataFrame) -> None:
    """All held-out rows are measured, and for the linear model its own baseline figures come out."""
    parts = split(table, TABLE)
    train = clean(parts.train, TABLE.cleaning).table
    model = LinearRegression().fit(features(train, TABLE), truth(train, TABLE))
    measured = measure(model, parts, train, TABLE, 5)
    metrics = measured.metrics
    expected = score(truth(parts.test, TABLE), predict(model, parts.test, TABLE))
    assert metrics["test_rmse"] == expected["rmse"] == pytest.approx(metrics[f"{PLAIN}test_rmse"])
    assert metrics["constant_test_rmse"] > metrics["plain_test_rmse"]
    assert metrics["constant_test_r2"] == pytest.approx(0, abs=0.02)
    assert metrics["interval_coverage"] == pytest.approx(0.9, abs=0.03)
    assert metrics["groups_cv_rmse"] > 0


def test_a_model_that_memorises_places_is_found_out(table: pd.DataFrame) -> None:
    """Its error in unseen squares of a degree exceeds that of random folds."""
    from sklearn.neighbors import KNeighborsRegressor

    elsewhere = [name for name in TABLE.features if name not in ("Latitude", "Longitude")]
    parts = split(table.assign(**dict.fromkeys(elsewhere, 0.0)).drop_duplicates(), TABLE)
    memory = KNeighborsRegressor(3).fit(features(parts.train, TABLE), truth(parts.train, TABLE))
    metrics = measure(memory, parts, parts.train, TABLE, 5).metrics
    assert metrics["groups_cv_rmse"] > 1.3 * metrics["test_rmse"]


def test_too_few_squares(table: pd.DataFrame) -> None:
    """Rows from one place give no figure for unseen places."""
    parts = split(table.head(2_000).assign(Latitude=37.5, Longitude=-122.5), TABLE)
    model = LinearRegression().fit(features(parts.train, TABLE), truth(parts.train, TABLE))
    assert "groups_cv_rmse" not in measure(model, parts, parts.train, TABLE, 5).metrics
