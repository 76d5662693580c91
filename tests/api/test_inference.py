"""The Open Inference Protocol (V2) as its clients speak it."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from tests.api.tables import ServedTable, Table

DATATYPES = {"number": "FP64", "integer": "INT64", "boolean": "BOOL", "category": "BYTES"}
TYPES = {"BOOL": bool, "FP32": float, "FP64": float, "INT64": int, "BYTES": str}


@pytest.fixture(scope="module", params=["claims", "churn", "species", "wide"])
def asked(
    request: pytest.FixtureRequest, served_table: Callable[[str], ServedTable]
) -> Iterator[tuple[Table, httpx.Client]]:
    """A table and a client of the service of its model."""
    table, service = served_table(request.param)
    with service.client() as client:
        yield table, client


def tensors(table: Table) -> list[dict[str, Any]]:
    """One tensor a feature, missing values as null."""
    bodies = table.bodies()
    return [
        {
            "name": feature.name,
            "shape": [len(bodies)],
            "datatype": DATATYPES[feature.kind],
            "data": [row.get(feature.name) for row in bodies],
        }
        for feature in table.schema.features
    ]


def infer(table: Table, client: httpx.Client, **request: Any) -> httpx.Response:
    return client.post(f"/v2/models/{table.schema.name}/infer", json=request)


def check(table: Table, answer: httpx.Response, rows: int | None = None) -> dict[str, Any]:
    """An answer has well-formed tensors, in which stands what XGBoost predicts."""
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["model_name"] == table.schema.name
    outputs = {output["name"]: output for output in body["outputs"]}
    for output in outputs.values():
        assert len(output["data"]) == np.prod(output["shape"])
        assert all(isinstance(value, TYPES[output["datatype"]]) for value in output["data"])
    expected = table.predicted()[:rows]
    if table.schema.target.kind == "number":
        np.testing.assert_array_equal(np.array(outputs["predict"]["data"], np.float32), expected[:, 0])
        return body
    if expected.shape[1] == 1:
        expected = np.concatenate([1 - expected, expected], axis=1)
    if "predict_proba" in outputs:
        shares = np.array(outputs["predict_proba"]["data"], np.float32).reshape(outputs["predict_proba"]["shape"])
        np.testing.assert_allclose(shares, expected, rtol=0, atol=1e-7)
        np.testing.assert_array_equal(shares[:, 1:], expected[:, 1:])
    if "predict" in outputs:
        labels = [table.schema.target.classes[i] for i in expected.argmax(axis=1)]
        assert outputs["predict"]["data"] == labels
    return body


def test_one_tensor_a_feature(asked: tuple[Table, httpx.Client]) -> None:
    """Rows given by tensors of the features, in any order and of shape [n] or [n, 1], are XGBoost's."""
    table, client = asked
    inputs = tensors(table)
    assert check(table, infer(table, client, inputs=inputs, id="mine"))["id"] == "mine"
    assert "id" not in check(table, infer(table, client, inputs=inputs[::-1]))
    columns = [each | {"shape": [*each["shape"], 1], "data": [[value] for value in each["data"]]} for each in inputs]
    check(table, infer(table, client, inputs=columns, id=None, outputs=None, parameters=None))
    versioned = client.post(f"/v2/models/{table.schema.name}/versions/1/infer", json={"inputs": inputs})
    check(table, versioned)


def test_one_tensor_of_all_features(asked: tuple[Table, httpx.Client]) -> None:
    """Numbers may come as one tensor of shape [rows, features], nested or flat."""
    table, client = asked
    if table.schema.name != "wide":
        values = [[each["data"][0] for each in tensors(table)]]
        answer = infer(table, client, inputs=[{"name": "x", "shape": [1, 9], "datatype": "BYTES", "data": values}])
        check(table, answer, 1)
        return
    rows = list(map(list, zip(*(each["data"] for each in tensors(table)), strict=True)))
    tensor = {"name": "input-0", "shape": [len(rows), 200], "datatype": "FP32"}
    check(table, infer(table, client, inputs=[tensor | {"data": rows}]))
    check(table, infer(table, client, inputs=[tensor | {"data": [value for row in rows for value in row]}]))


def test_answers_with_the_outputs_that_are_asked_for(asked: tuple[Table, httpx.Client]) -> None:
    """A request may name its outputs; an output that the model has not is refused."""
    table, client = asked
    inputs = tensors(table)
    body = check(table, infer(table, client, inputs=inputs, outputs=[{"name": "predict"}]))
    assert [output["name"] for output in body["outputs"]] == ["predict"]
    refused = infer(table, client, inputs=inputs, outputs=[{"name": "nothing"}])
    assert refused.status_code == 400
    assert "'nothing'" in refused.json()["error"]


def test_health_and_metadata(asked: tuple[Table, httpx.Client]) -> None:
    """The paths of the protocol answer with what it says of them."""
    table, client = asked
    name = table.schema.name
    assert client.get("/v2/health/live").json()["live"] is True
    assert client.get("/v2/health/ready").json()["ready"] is True
    for path in (f"/v2/models/{name}/ready", f"/v2/models/{name}/versions/1/ready"):
        assert client.get(path).json() == {"name": name, "ready": True}
    assert set(client.get("/v2").json()) == {"name", "version", "extensions"}
    metadata = client.get(f"/v2/models/{name}").json()
    assert client.get(f"/v2/models/{name}/versions/1").json() == metadata
    assert [(each["name"], each["datatype"]) for each in metadata["inputs"]] == [
        (feature.name, DATATYPES[feature.kind]) for feature in table.schema.features
    ]
    described = {each["name"]: each for each in metadata["outputs"]}
    for output in infer(table, client, inputs=tensors(table)).json()["outputs"]:
        assert output["datatype"] == described[output["name"]]["datatype"]
        assert output["shape"][1:] == described[output["name"]]["shape"][1:]
    assert client.get("/v2/models/another").status_code == 404


CHANGES: dict[str, Any] = {
    "another name": {"name": "nobody"},
    "a shape of other rows": {"shape": [1]},
    "a negative shape": {"shape": [-60]},
    "a huge shape": {"shape": [2**62, 2**62]},
    "a shape of nothing": {"shape": []},
    "no data": {"data": []},
    "data that is no list": {"data": 5},
    "data nested unevenly": {"data": [[1.0], 1.0]},
    "a word": {"data": ["high"] * 60},
    "an object": {"data": [{}] * 60},
    "too large a number": {"data": [1e300] * 60},
    "no name": {"name": None},
}


@pytest.mark.parametrize("change", CHANGES)
def test_refuses_what_does_not_fit(asked: tuple[Table, httpx.Client], change: str) -> None:
    """A tensor that does not fit is refused with 400 and one sentence, as the protocol words errors."""
    table, client = asked
    first, *others = tensors(table)
    answer = infer(table, client, inputs=[first | CHANGES[change], *others])
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"inputs": []}', b'{"inputs": {}}', b'{"inputs": [1]}', b"\xff"]
)
def test_refuses_what_is_no_request(asked: tuple[Table, httpx.Client], body: bytes) -> None:
    """A body that is no request is refused in the same way."""
    table, client = asked
    answer = client.post(f"/v2/models/{table.schema.name}/infer", content=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
