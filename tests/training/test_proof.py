"""Nothing is published that the service would predict differently."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost

from api.trees.walk import Trees
from tests.california import BOUNDS, FEATURES, SCHEMA, TARGET
from training.errors import ProofError
from training.fitting import proof


def save(table: pd.DataFrame, folder: Path, **parameters: str) -> Path:
    """A small model as an MLflow directory."""
    data = xgboost.DMatrix(table.drop(columns=TARGET), table[TARGET])
    xgboost.train({"max_depth": 5, "nthread": 1, **parameters}, data, 20).save_model(folder / "model.ubj")
    flavor = {"data": "model.ubj", "xgb_version": xgboost.__version__, "model_class": "xgboost.core.Booster"}
    (folder / "MLmodel").write_text(json.dumps({"flavors": {"xgboost": flavor}}))
    return folder


def numbers(table: pd.DataFrame) -> np.ndarray:
    """The features as the model has them."""
    return table[list(FEATURES)].to_numpy(np.float32)


def test_agreement(table: pd.DataFrame, tmp_path: Path) -> None:
    """An ordinary model agrees on every row of the data and on thousands besides."""
    assert proof.prove(save(table, tmp_path), numbers(table), SCHEMA) > len(table) + 9_000


def test_one_bit_is_noticed(table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prediction that is off by one bit in one row stops the publishing, with the row and both values."""
    walk = Trees.predict

    def bent(self: Trees, rows: np.ndarray) -> np.ndarray:
        predicted = walk(self, rows)
        at_example = (rows == table.iloc[0, :8].to_numpy(np.float32)).all(axis=1)
        return np.where(at_example, np.nextafter(predicted, np.float32(9)), predicted)

    monkeypatch.setattr(Trees, "predict", bent)
    with pytest.raises(ProofError, match=r"for \[8\.32.*; 1 of 30,678 rows differ"):
        proof.prove(save(table, tmp_path), numbers(table), SCHEMA)


def test_uncovered_model(table: pd.DataFrame, tmp_path: Path) -> None:
    """A kind of model that the service does not read is refused here, not after the deployment."""
    with pytest.raises(ProofError, match="service refuses the model"):
        proof.prove(save(table, tmp_path, objective="reg:quantileerror", quantile_alpha="0.5"), numbers(table), SCHEMA)


@pytest.mark.parametrize(
    "parameters", [{"booster": "dart", "rate_drop": "0.5"}, {"tree_method": "exact", "gamma": "9"}]
)
def test_models_of_dropout_and_pruned_ones(table: pd.DataFrame, tmp_path: Path, parameters: dict[str, str]) -> None:
    """Dropout's weights and the nodes that pruning deleted do not upset the proof."""
    assert proof.prove(save(table, tmp_path, **parameters), numbers(table), SCHEMA) > len(table) + 9_000


def test_other_features(table: pd.DataFrame, tmp_path: Path) -> None:
    """A model with the features in another order is refused."""
    with pytest.raises(ProofError, match="the model file has the features"):
        proof.prove(save(table[[*reversed(FEATURES), TARGET]], tmp_path), numbers(table), SCHEMA)


def test_boundary_rows_hit_thresholds(table: pd.DataFrame, tmp_path: Path) -> None:
    """The rows at the edges lie on the thresholds themselves and on both neighbouring floats."""
    booster = xgboost.Booster(model_file=save(table, tmp_path) / "model.ubj")
    rows = proof.boundary_rows(booster, numbers(table), SCHEMA)
    frame = booster.trees_to_dataframe()
    income = frame.loc[frame["Feature"] == "MedInc", "Split"].to_numpy(np.float32)
    values = rows[:, 0]
    for edge in (income, np.nextafter(income, np.float32(-9)), np.nextafter(income, np.float32(99))):
        assert np.isin(values, edge).sum() > 100


def test_random_rows_are_what_the_service_accepts() -> None:
    """Random rows spread over the accepted bounds."""
    rows = proof.random_rows(SCHEMA)
    for column, (low, high) in enumerate(BOUNDS.values()):
        assert low <= rows[:, column].min() < low + (high - low) / 10
        assert high - (high - low) / 10 < rows[:, column].max() <= np.float32(high)
