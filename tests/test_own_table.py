"""A table of somebody else's, from a file to predictions: the whole path with the commands as they are typed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.datasets import load_diabetes, load_wine

from tests.conftest import training
from tests.running import Serve

DRAW = np.random.default_rng(0)


def wines() -> pd.DataFrame:
    """Three classes, with a category, a yes/no, missing values and a name that XGBoost refuses."""
    renamed = {"od280/od315_of_diluted_wines": "od280/od315 [ratio]"}
    rows: pd.DataFrame = load_wine(as_frame=True).frame.rename(columns=renamed)
    return rows.assign(
        target=rows["target"].map({0: "Barolo", 1: "Grignolino", 2: "Barbera"}),
        bottle=np.where(DRAW.random(len(rows)) < 0.3, "magnum", "standard"),
        organic=DRAW.random(len(rows)) < 0.4,
        magnesium=rows["magnesium"].mask(pd.Series(DRAW.random(len(rows)) < 0.2)),
    )


def patients() -> pd.DataFrame:
    """A number, from numbers."""
    rows: pd.DataFrame = load_diabetes(as_frame=True, scaled=False).frame
    return rows


TABLES = {"wines": wines, "patients": patients}


@pytest.mark.parametrize("name", TABLES)
def test_from_a_file_to_predictions(name: str, tmp_path: Path, serve: Serve) -> None:
    """Described, trained, published and served, a table's rows are predicted as XGBoost predicts them, to the bit."""
    rows = TABLES[name]()
    file = tmp_path / f"my {name}.csv"
    rows.to_csv(file, sep=";", decimal=",", index=False)
    table = ["--table", f"tables/my-{name}.toml"]
    for arguments in (
        ["describe", file.name, "--target", "target"],
        ["train", *table, "--data", file.name, "--candidates", "1", "--folds", "2", "--force"],
        ["publish", *table],
    ):
        done = training(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr

    model = tmp_path / "models" / "mlflow" / "models" / f"my-{name}" / "latest"
    booster = xgboost.Booster(model_file=model / "model.ubj")
    service = serve(MODEL_PATH=str(model))
    with service.client() as client:
        names = list(client.get("/schema").json()["properties"])
        asked = rows[names].head(40)
        rows_asked = asked.astype(object).where(asked.notna(), None).to_dict("records")
        answered = client.post("/predict/batch", json={"rows": rows_asked}).raise_for_status().json()["predictions"]
    if name == "patients":
        values = [item["prediction"] for item in answered]
        assert all(item["interval"]["low"] <= item["prediction"] <= item["interval"]["high"] for item in answered)
    else:
        values = [list(item["probabilities"].values()) for item in answered]
        assert {item["label"] for item in answered} <= {"Barbera", "Barolo", "Grignolino"}
        asked = asked.assign(
            bottle=pd.Categorical(asked["bottle"], categories=["magnum", "standard"]), organic=asked["organic"] * 1.0
        )
    data = xgboost.DMatrix(asked.set_axis(range(len(names)), axis=1), enable_categorical=True)
    np.testing.assert_array_equal(np.array(values, np.float32), booster.predict(data, validate_features=False))
