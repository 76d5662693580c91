"""POST /predict and /predict/batch over HTTP, against a real server process and a real model."""

import asyncio
import random
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import xgboost

from api.store.manifest import MANIFEST_NAME, decode
from tests.california import BOUNDS, FEATURES
from tests.running import Service


@pytest.fixture(scope="module")
def booster(model_directory: Path) -> xgboost.Booster:
    return xgboost.Booster(model_file=model_directory / "model.ubj")


def random_rows(count: int, seed: int) -> list[dict[str, float]]:
    draw = random.Random(seed)
    return [{name: draw.uniform(*BOUNDS[name]) for name in FEATURES} for _ in range(count)]


def expected(booster: xgboost.Booster, rows: list[dict[str, float]]) -> np.ndarray[Any, Any]:
    matrix = np.array([[row[name] for name in FEATURES] for row in rows])
    predictions: np.ndarray[Any, Any] = booster.predict(xgboost.DMatrix(matrix, feature_names=list(FEATURES)))
    return predictions


def test_predicts_exactly_what_xgboost_predicts(service: Service, booster: xgboost.Booster) -> None:
    """Single predictions equal Booster.predict on the published file, to the last bit of the float32."""
    rows = random_rows(100, seed=1)
    with service.client() as client:
        answers = [client.post("/predict", json=row).raise_for_status().json() for row in rows]
    served = np.array([answer["median_house_value"] for answer in answers], np.float32)
    np.testing.assert_array_equal(served, expected(booster, rows))


def test_batch_answers_in_order(service: Service, booster: xgboost.Booster) -> None:
    """Ten thousand rows come back in their order, exactly as XGBoost predicts them."""
    rows = random_rows(10_000, seed=2)
    with service.client() as client:
        answer = client.post("/predict/batch", json={"rows": rows}).raise_for_status().json()
    served = np.array([item["median_house_value"] for item in answer["predictions"]], np.float32)
    np.testing.assert_array_equal(served, expected(booster, rows))


def test_concurrent_requests_never_get_anothers_answer(service: Service, booster: xgboost.Booster) -> None:
    """Thousands of concurrent single and batch requests are each answered with their own prediction."""
    rows = random_rows(3_000, seed=3)
    predictions = expected(booster, rows)

    jobs = [slice(i, i + 1) for i in range(len(rows))] + [slice(i, i + 37) for i in range(0, len(rows), 100)]
    random.Random(3).shuffle(jobs)

    async def ask() -> None:
        async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:

            async def work() -> None:
                while jobs:
                    job = jobs.pop()
                    if job.stop - job.start == 1:
                        items = [(await client.post("/predict", json=rows[job.start])).json()]
                    else:
                        items = (await client.post("/predict/batch", json={"rows": rows[job]})).json()["predictions"]
                    served = np.array([item["median_house_value"] for item in items], np.float32)
                    np.testing.assert_array_equal(served, predictions[job])

            await asyncio.gather(*(work() for _ in range(24)))

    asyncio.run(ask())


def test_answer_states_unit_version_and_interval(
    service: Service, example: dict[str, float], model_directory: Path
) -> None:
    """An answer says in which unit it is, which model gave it, and how sure that model is."""
    manifest = decode((model_directory / MANIFEST_NAME).read_bytes())
    with service.client() as client:
        answer = client.post("/predict", json=example).json()
    assert answer["unit"] == "100,000 USD"
    assert answer["model_version"] == manifest.model_version == "1"
    assert answer["extrapolated"] == []
    assert manifest.interval is not None
    value, bins = answer["median_house_value"], manifest.interval
    place = int(np.searchsorted(bins.edges, value, side="right"))
    assert answer["interval"] == {"low": value - bins.low[place], "high": value + bins.high[place]}


def test_values_beyond_the_training_data_are_answered_and_flagged(service: Service, example: dict[str, float]) -> None:
    """A block group unlike any the model has seen gets a prediction that names the unusual features."""
    with service.client() as client:
        answer = client.post("/predict", json=example | {"MedInc": 90.0, "Population": 1e6}).json()
    assert answer["extrapolated"] == ["MedInc", "Population"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"MedInc": "8.3"}, "MedInc"),
        ({"MedInc": True}, "MedInc"),
        ({"MedInc": None}, "MedInc"),
        ({"Population": -1}, "Population"),
        ({"Latitude": 51.5}, "Latitude"),
        ({"Ocean": 1}, "Ocean"),
    ],
)
def test_names_the_wrong_field(service: Service, example: dict[str, float], change: dict[str, Any], field: str) -> None:
    """A body that breaks the schema is refused with a problem document that names the field."""
    with service.client() as client:
        response = client.post("/predict", json=example | change)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"].startswith("urn:")
    assert [error["field"] for error in problem["errors"]] == [field]
    assert all(error["problem"] and error["allowed"] for error in problem["errors"])


def test_names_every_wrong_field_at_once(service: Service, example: dict[str, float]) -> None:
    """All faults of a body are listed together, rows of a batch by their number."""
    wrong = example | {"MedInc": "high", "Longitude": 0}
    del wrong["HouseAge"]
    with service.client() as client:
        problem = client.post("/predict/batch", json={"rows": [example, wrong]}).json()
    assert {error["field"] for error in problem["errors"]} == {
        "rows[1].MedInc",
        "rows[1].HouseAge",
        "rows[1].Longitude",
    }


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b"\xff\xfe", b'{"MedInc": NaN}'])
def test_refuses_what_is_not_json(service: Service, body: bytes) -> None:
    """A body that is not JSON is refused with 400 and a problem document."""
    with service.client() as client:
        response = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["detail"]


def test_refuses_a_field_given_twice(service: Service, example: dict[str, float]) -> None:
    """A duplicate key is refused, not decided by order."""
    body = httpx.Request("POST", "http://x", json=example).content[:-1] + b',"MedInc":1}'
    with service.client() as client:
        response = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert "more than once" in response.json()["detail"]


@pytest.mark.parametrize("rows", [0, 10_001])
def test_bounds_the_rows_of_a_batch(service: Service, example: dict[str, float], rows: int) -> None:
    """A batch has 1 to 10,000 rows."""
    with service.client() as client:
        response = client.post("/predict/batch", json={"rows": [example] * rows})
    assert response.status_code == 422
    assert response.json()["errors"][0]["allowed"] == "1 to 10000"


def test_caps_the_body(service: Service, example: dict[str, float]) -> None:
    """A body over the cap is refused with 413 before it is read to the end."""
    with service.client() as client:
        response = client.post("/predict", json=example | {"x": "y" * 100_000})
        assert response.status_code == 413
        assert client.post("/predict", json=example).status_code == 200
