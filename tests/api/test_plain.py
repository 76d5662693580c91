"""Models that MLflow saved and nobody published, as every class that MLflow knows: served as XGBoost predicts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import mlflow.pyfunc
import mlflow.xgboost
import numpy as np
import pandas as pd
import pytest
import xgboost
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

from tests.api.tables import served
from tests.models import save

DRAW = np.random.default_rng(5)
ROWS = pd.DataFrame(
    {
        "square metres": DRAW.normal(size=80),
        "rooms": DRAW.integers(0, 9, 80),
        "new": DRAW.random(80) < 0.5,
    }
)
RANKS = np.argsort(np.argsort(ROWS["square metres"] + ROWS["rooms"] + ROWS["new"] * 2))
NUMBER, YES_NO, CLASS = RANKS / 10 + 1, RANKS // 40, RANKS // 27
SMALL: dict[str, Any] = {"n_estimators": 12, "max_depth": 3, "n_jobs": 1}
STOPPED: dict[str, Any] = {"n_estimators": 60, "max_depth": 4, "n_jobs": 1, "early_stopping_rounds": 2, "eta": 0.9}


def _booster(objective: str, label: Any, **parameters: Any) -> xgboost.Booster:
    matrix = xgboost.DMatrix(ROWS, label)
    return xgboost.train({"objective": objective, "nthread": 1, "max_depth": 3, **parameters}, matrix, 12)


def _stopped(model: Any, label: Any) -> Any:
    order = DRAW.permutation(80)
    return model.fit(ROWS, label, eval_set=[(ROWS, np.asarray(label)[order])], verbose=False)


def _stopped_booster() -> xgboost.Booster:
    matrix = xgboost.DMatrix(ROWS, NUMBER)
    other = xgboost.DMatrix(ROWS, NUMBER[DRAW.permutation(80)])
    parameters = {"objective": "reg:squarederror", "eta": 0.9, "nthread": 1}
    return xgboost.train(parameters, matrix, 40, evals=[(other, "e")], early_stopping_rounds=2, verbose_eval=False)


MODELS: dict[str, Any] = {
    "Booster": lambda: _booster("reg:squarederror", NUMBER),
    "Booster of yes and no, signed": lambda: _booster("binary:logistic", YES_NO),
    "Booster of the likeliest class": lambda: _booster("multi:softmax", CLASS, num_class=3),
    "Booster stopped early": _stopped_booster,
    "XGBRegressor stopped early, signed": lambda: _stopped(xgboost.XGBRegressor(**STOPPED), NUMBER),
    "XGBRFRegressor": lambda: xgboost.XGBRFRegressor(**SMALL, objective="count:poisson").fit(ROWS, NUMBER),
    "XGBClassifier of yes and no, signed": lambda: xgboost.XGBClassifier(**SMALL).fit(ROWS, YES_NO),
    "XGBClassifier stopped early": lambda: _stopped(xgboost.XGBClassifier(**STOPPED), CLASS),
    "XGBRFClassifier of yes and no, signed": lambda: xgboost.XGBRFClassifier(**SMALL).fit(ROWS, YES_NO),
    "XGBRFClassifier": lambda: xgboost.XGBRFClassifier(**SMALL).fit(ROWS, CLASS),
}
SIGNATURE = ModelSignature(
    Schema([ColSpec("double", "square metres"), ColSpec("long", "rooms"), ColSpec("boolean", "new")])
)


class Plain:
    """A served directory, and what MLflow makes of the same one."""

    def __init__(self, folder: Path, client: httpx.Client, *, signed: bool) -> None:
        self.client, self.signed = client, signed
        self.native: Any = mlflow.xgboost.load_model(str(folder))
        self.pyfunc = mlflow.pyfunc.load_model(str(folder))

    def predicted(self) -> Any:
        """A number, or each class's probability."""
        if isinstance(self.native, xgboost.XGBClassifier):
            return self.native.predict_proba(ROWS)
        if isinstance(self.native, xgboost.Booster):
            return self.native.predict(xgboost.DMatrix(ROWS))
        return self.native.predict(ROWS)

    def bodies(self) -> list[dict[str, Any]]:
        """Rows as the schema wants them: without a signature every feature is a number, or yes or no."""
        rows: list[dict[str, Any]] = json.loads(ROWS.to_json(orient="records", double_precision=15))
        return rows if self.signed else [row | {"rooms": float(row["rooms"])} for row in rows]


@pytest.fixture(scope="module", params=list(MODELS))
def plain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plain]:
    folder, signed = tmp_path_factory.mktemp("plain") / "model", "signed" in request.param
    save(MODELS[request.param](), folder, signature=SIGNATURE if signed else None)
    service = served(folder)
    with service.client() as client:
        yield Plain(folder, client, signed=signed)
    service.process.kill()
    service.process.wait(10)


def test_predicts_what_the_loaded_model_predicts(plain: Plain) -> None:
    """A number or the probabilities are those of the model as MLflow loads it, its early stopping counted."""
    answer = plain.client.post("/predict/batch", json={"rows": plain.bodies()})
    assert answer.status_code == 200, answer.text
    items, expected = answer.json()["predictions"], plain.predicted()
    if "prediction" in items[0]:
        assert items[0]["interval"] is None
        np.testing.assert_array_equal(np.array([item["prediction"] for item in items], np.float32), expected)
        return
    assert items[0]["set"] is None
    probabilities = np.array([list(item["probabilities"].values()) for item in items], np.float32)
    labels = [int(item["label"]) for item in items]
    if expected.ndim == 2:
        np.testing.assert_array_equal(labels, expected.argmax(axis=1))
        np.testing.assert_array_equal(probabilities, expected)
    elif probabilities.shape[1] == 2:
        np.testing.assert_array_equal(probabilities[:, 1], expected)
    else:
        np.testing.assert_array_equal(labels, expected.astype(int))


def test_invocations_answer_as_pyfunc(plain: Plain) -> None:
    """MLflow's own endpoint answers what MLflow's pyfunc of the same directory does, in every format."""
    frame = ROWS if plain.signed else ROWS.astype(float)
    expected = np.asarray(plain.pyfunc.predict(frame)).tolist()
    records = plain.bodies()
    bodies: dict[str, Any] = {
        "dataframe_split": {"columns": list(frame), "data": [list(row.values()) for row in records]},
        "dataframe_records": records,
        "instances": records,
        "inputs": {name: [row[str(name)] for row in records] for name in frame},
    }
    for name, body in bodies.items():
        answer = plain.client.post("/invocations", json={name: body})
        assert answer.status_code == 200, answer.text
        np.testing.assert_array_equal(np.float32(answer.json()["predictions"]), np.float32(expected))
    headers = {"content-type": "text/csv"}
    answer = plain.client.post("/invocations", content=frame.to_csv(index=False), headers=headers)
    np.testing.assert_array_equal(np.float32(answer.json()["predictions"]), np.float32(expected))


def test_schema_is_what_is_known(plain: Plain) -> None:
    """The kinds are those of the signature, or XGBoost's own, which may be missing, and there are no bounds."""
    schema = plain.client.get("/schema").json()
    assert list(schema["properties"]) == list(ROWS)
    assert schema["required"] == (list(ROWS) if plain.signed else [])
    assert plain.client.get("/model").json()["version"] == "unpublished"
    assert plain.client.get("/ready").status_code == 200
    wild = {"square metres": 1e30, "rooms": -5, "new": True}
    assert plain.client.post("/predict", json=wild).status_code == 200
