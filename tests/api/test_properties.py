"""Whatever is sent: a valid row is predicted exactly as XGBoost does, anything else is refused with a document.

`make test` searches a little and always the same; `make fuzz` searches long and anew.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from tests.api.wire import Wire, request
from tests.california import BOUNDS, EXAMPLE, FEATURES
from tests.running import Service

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
VALID_ROWS = st.fixed_dictionaries({name: st.floats(*BOUNDS[name]) for name in FEATURES})
ALMOST_ROWS = st.fixed_dictionaries(
    {}, optional={"Ocean": JSON_VALUES} | {name: st.floats(*BOUNDS[name]) | JSON_VALUES for name in FEATURES}
)


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client


@pytest.fixture(scope="module")
def booster(model_directory: Path) -> xgboost.Booster:
    return xgboost.Booster(model_file=model_directory / "model.ubj")


def check(response: httpx.Response) -> None:
    """It is an answer or a refusal that the documents describe."""
    assert response.status_code in (200, 400, 422), response.text
    if response.status_code == 200:
        assert response.headers["content-type"] == "application/json"
    else:
        assert response.headers["content-type"] == "application/problem+json"
        problem = response.json()
        assert problem["status"] == response.status_code
        assert problem["detail"]
        assert (problem.get("errors") is not None) == (response.status_code == 422) or "once" in problem["detail"]


@given(rows=st.lists(VALID_ROWS, min_size=1, max_size=20))
def test_valid_rows_are_predicted_as_xgboost_does(
    client: httpx.Client, booster: xgboost.Booster, rows: list[dict[str, float]]
) -> None:
    """Any rows within the bounds get XGBoost's own predictions, to the bit, alone and together."""
    matrix = np.array([[row[name] for name in FEATURES] for row in rows])
    expected = booster.predict(xgboost.DMatrix(matrix, feature_names=list(FEATURES)))
    answer = client.post("/predict/batch", json={"rows": rows}).raise_for_status().json()
    served = np.array([item["median_house_value"] for item in answer["predictions"]], np.float32)
    np.testing.assert_array_equal(served, expected)
    alone = client.post("/predict", json=rows[0]).raise_for_status().json()
    assert np.float32(alone["median_house_value"]) == expected[0]


@given(value=ALMOST_ROWS | JSON_VALUES)
def test_any_json_is_answered_or_refused(client: httpx.Client, value: Any) -> None:
    """No JSON value makes either endpoint fail."""
    check(client.post("/predict", json=value))
    check(client.post("/predict/batch", json={"rows": [EXAMPLE, value]}))
    check(client.post("/predict/batch", json=value))


@given(body=st.binary(max_size=300))
def test_any_body_is_answered_or_refused(client: httpx.Client, body: bytes) -> None:
    """No bytes in a body make the service fail."""
    check(client.post("/predict", content=body, headers={"content-type": "application/json"}))


@given(place=st.integers(0, 10_000), junk=st.binary(min_size=1, max_size=8), replaced=st.integers(0, 8))
def test_damaged_requests_are_answered_or_refused(service: Service, place: int, junk: bytes, replaced: int) -> None:
    """A request with a few bytes changed gets some answer or none, never a failure, and the next is served."""
    good = request(json.dumps(EXAMPLE).encode())
    place %= len(good)
    damaged = good[:place] + junk + good[place + replaced :]
    with Wire(service.url) as wire:
        # What is missing of a damaged request follows it; what is left over is refused in its turn.
        wire.send(damaged + good)
        wire.socket.shutdown(1)
        while line := wire.stream.readline():
            if line.startswith(b"HTTP/1.1 "):
                assert line[9:12] not in (b"500", b"503"), damaged
    with Wire(service.url) as wire:
        assert wire.send(good).answer().status == 200


def test_nothing_failed(service: Service) -> None:
    """None of this left an error in the log."""
    assert not [line for line in service.lines_until_now() if line["level"] in ("ERROR", "CRITICAL")]
