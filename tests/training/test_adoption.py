"""Models that another program trained are taken in: described, proven, registered and published."""

from pathlib import Path
from typing import Any

import mlflow.xgboost
import numpy as np
import pandas as pd
import pytest
import xgboost
from mlflow.models import infer_signature

from api.model.model import Model
from api.store.fetch import fetch
from api.store.manifest import LATEST, models_prefix
from api.store.opening import open_store
from tests.training.conftest import enter
from training.__main__ import run
from training.publishing import registry, tracking
from training.rows.encoding import numbers

RANDOM = np.random.default_rng(0)
ROWS = pd.DataFrame(
    {
        "size (m²)": RANDOM.gamma(3, 30, 400),
        "floor": RANDOM.integers(0, 9, 400).astype(float),
        "kind": pd.Categorical(RANDOM.choice(["house", "flat", "loft"], 400)),
        "lift": RANDOM.random(400) < 0.5,
    }
)
ROWS.loc[::9, "floor"] = np.nan
PRICE = np.exp(ROWS["size (m²)"] / 100) + ROWS["kind"].cat.codes


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with the sample and a registry of its own."""
    enter(tmp_path, monkeypatch)
    ROWS.to_csv("sample.csv", index=False)
    return tmp_path


def save(model: Any, **options: Any) -> str:
    """A directory as another program leaves it."""
    mlflow.xgboost.save_model(model, "foreign", pip_requirements=["xgboost"], **options)
    return "foreign"


def adopted(name: str = "flats") -> Model:
    """What the service loads of it."""
    return Model.load(fetch(open_store("", str(Path("models") / models_prefix(name) / LATEST))))


def booster(**parameters: Any) -> xgboost.Booster:
    """A small model of all kinds of columns, a missing value among them."""
    matrix = xgboost.DMatrix(ROWS, PRICE, enable_categorical=True)
    return xgboost.train({"nthread": 1, "max_depth": 4, **parameters}, matrix, 20)


def test_a_booster_without_a_signature(capsys: pytest.CaptureFixture[str]) -> None:
    """Names, kinds, categories and what may be missing come from the file and the sample; answers are XGBoost's."""
    model = booster(objective="reg:gamma")
    assert run(["adopt", save(model), "--data", "sample.csv", "--name", "flats"]) == 0
    assert "Version 1 of flats is in models" in capsys.readouterr().out
    served = adopted()
    assert [(each.name, each.kind, each.missing) for each in served.schema.features] == [
        ("size (m²)", "number", True),
        ("floor", "number", True),
        ("kind", "category", True),
        ("lift", "boolean", True),
    ]
    expected = model.predict(xgboost.DMatrix(ROWS, enable_categorical=True))
    np.testing.assert_array_equal(served.predict(numbers(ROWS.astype({"lift": float}), served.schema)), expected)
    with tracking.connected():
        assert registry.champion("flats") == "1"


def test_an_early_stopped_classifier() -> None:
    """As many rounds count as in scikit-learn's class, and MLflow's own answer, the label's code, is told apart."""
    columns = ROWS[["size (m²)", "floor"]]
    codes = ROWS["kind"].cat.codes
    model = xgboost.XGBClassifier(n_estimators=50, early_stopping_rounds=2, n_jobs=1)
    model.fit(columns[:300], codes[:300], eval_set=[(columns[300:], codes[300:])], verbose=False)
    assert model.best_iteration < 40
    save(model, signature=infer_signature(columns, model.predict(columns)))
    assert run(["adopt", "foreign", "--data", "sample.csv", "--name", "flats"]) == 0
    served = adopted()
    np.testing.assert_array_equal(served.predict(numbers(columns, served.schema)), model.predict_proba(columns))
    assert served.predicts_labels


def test_a_file_as_mlflow_2_called_it() -> None:
    """UBJSON in a file called `model.xgb`: what MLflow 2 saved unless told otherwise, from XGBoost 2.1 on."""
    model = booster()
    folder = Path(save(model))
    (folder / "model.ubj").rename(folder / "model.xgb")
    (folder / "MLmodel").write_text((folder / "MLmodel").read_text().replace("model.ubj", "model.xgb"))
    assert run(["adopt", "foreign", "--data", "sample.csv", "--name", "flats"]) == 0
    served = adopted()
    expected = model.predict(xgboost.DMatrix(ROWS, enable_categorical=True))
    np.testing.assert_array_equal(served.predict(numbers(ROWS.astype({"lift": float}), served.schema)), expected)


def test_the_next_one_does_not_become_latest() -> None:
    """A second model is published beside the champion, which stays."""
    save(booster())
    for _ in range(2):
        assert run(["adopt", "foreign", "--data", "sample.csv", "--name", "flats"]) == 0
    assert adopted().version == "1"
    assert (Path("models") / models_prefix("flats") / "2" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"booster": "gblinear", "max_depth": None}, "gblinear"),
        ({"objective": "rank:pairwise"}, "rank:pairwise"),
    ],
    ids=["gblinear", "ranking"],
)
def test_what_is_not_covered(parameters: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A kind of model that the service does not predict is refused in one sentence, and nothing is registered."""
    matrix = xgboost.DMatrix(ROWS[["size (m²)", "floor"]], PRICE)
    given = {name: value for name, value in {"nthread": 1, **parameters}.items() if value is not None}
    save(xgboost.train(given, matrix, 5))
    assert run(["adopt", "foreign", "--data", "sample.csv", "--name", "flats"]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not Path("models").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.drop(columns="kind"), "lacks the columns kind"),
        (lambda rows: rows.assign(kind="castle"), "row 1: 'castle' is not one of"),
        (lambda rows: rows.head(0), "has no rows"),
    ],
    ids=["a column missing", "an unknown category", "no rows"],
)
def test_a_sample_that_does_not_fit(change: Any, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong with the sample is said by column and row."""
    save(booster())
    change(ROWS).to_csv("sample.csv", index=False)
    assert run(["adopt", "foreign", "--data", "sample.csv", "--name", "flats"]) == 1
    assert message in capsys.readouterr().err


def test_no_model_there(capsys: pytest.CaptureFixture[str]) -> None:
    """A directory that is no model of MLflow's is said to be none."""
    Path("empty").mkdir()
    assert run(["adopt", "empty", "--data", "sample.csv", "--name", "flats"]) == 1
    assert "is no model that MLflow saved" in capsys.readouterr().err
