"""The Open Inference Protocol as Triton's client speaks it, of which MLServer's is made: in JSON and in binary."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from tritonclient import http
from tritonclient.utils import InferenceServerException

from api.answers.v2.inference import DATATYPES
from tests.api.tables import ServedTable, Table

DTYPES = {"number": np.float64, "integer": np.int64, "boolean": np.bool_, "category": np.object_}


@pytest.fixture(scope="module", params=["claims", "churn", "species", "wide"])
def asked(
    request: pytest.FixtureRequest, served_table: Callable[[str], ServedTable]
) -> Iterator[tuple[Table, http.InferenceServerClient]]:
    """A table, and a client of the service of its model."""
    table, service = served_table(request.param)
    with http.InferenceServerClient(service.url.removeprefix("http://")) as client:
        yield table, client


def complete(table: Table) -> list[int]:
    """The rows without a missing value, for which JSON's null is needed where numbers are no floats."""
    return [i for i, row in enumerate(table.bodies()) if all(row.get(name) is not None for name in table.schema.names)]


def tensors(table: Table, rows: list[int], *, binary: bool) -> list[http.InferInput]:
    """One tensor a feature, as the client makes them of numpy's arrays."""
    bodies = [table.bodies()[i] for i in rows]
    inputs = []
    for feature in table.schema.features:
        values: Any = np.array([row.get(feature.name, np.nan) for row in bodies], DTYPES[feature.kind])
        inputs.append(http.InferInput(feature.name, [len(rows)], DATATYPES[feature.kind]))
        inputs[-1].set_data_from_numpy(values, binary_data=binary)
    return inputs


def check(table: Table, rows: list[int], answer: http.InferResult) -> None:
    """An answer holds what XGBoost predicts."""
    expected = table.predicted()[rows]
    predicted = answer.as_numpy("predict")
    assert predicted.shape == (len(rows), 1)
    if table.schema.target.kind == "number":
        np.testing.assert_array_equal(predicted, expected)
        return
    if expected.shape[1] == 1:
        expected = np.concatenate([1 - expected, expected], axis=1)
    np.testing.assert_array_equal(answer.as_numpy("predict_proba")[:, 1:], expected[:, 1:])
    labels = [text.decode() if isinstance(text, bytes) else text for text in predicted[:, 0]]
    assert labels == [table.schema.target.classes[i] for i in expected.argmax(axis=1)]


@pytest.mark.parametrize("sent_in_binary", [False, True])
@pytest.mark.parametrize("answered_in_binary", [False, True])
def test_predicts_as_xgboost(
    asked: tuple[Table, http.InferenceServerClient], *, sent_in_binary: bool, answered_in_binary: bool
) -> None:
    """Arrays go in and come out in either form, and the numbers are XGBoost's to the bit."""
    table, client = asked
    rows = complete(table) if table.schema.name != "wide" else [0, 1, 2]
    names = [output["name"] for output in client.get_model_metadata(table.schema.name)["outputs"]]
    answer = client.infer(
        table.schema.name,
        tensors(table, rows, binary=sent_in_binary or table.schema.name == "wide"),
        outputs=[http.InferRequestedOutput(name, binary_data=answered_in_binary) for name in names],
        request_id="mine",
    )
    assert answer.get_response()["id"] == "mine"
    check(table, rows, answer)


def test_all_outputs_in_binary_by_default(asked: tuple[Table, http.InferenceServerClient]) -> None:
    """A client that names no outputs asks for all of them in binary."""
    table, client = asked
    rows = complete(table) or [0]
    answer = client.infer(table.schema.name, tensors(table, rows, binary=True), model_version="1")
    assert all("binary_data_size" in output["parameters"] for output in answer.get_response()["outputs"])
    check(table, rows, answer)


def test_health_and_metadata(asked: tuple[Table, http.InferenceServerClient]) -> None:
    """The client finds server and model alive, and the extension that it uses."""
    table, client = asked
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(table.schema.name)
    assert not client.is_model_ready("another")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    assert len(client.get_model_metadata(table.schema.name, "1")["inputs"]) == len(table.schema.features)


def test_errors_in_the_words_of_the_service(asked: tuple[Table, http.InferenceServerClient]) -> None:
    """What is refused is told to the client's user."""
    table, client = asked
    inputs = tensors(table, complete(table) or [0], binary=True)
    with pytest.raises(InferenceServerException, match="nothing at this path"):
        client.infer("another", inputs)
    with pytest.raises(InferenceServerException, match="Model is missing inputs"):
        client.infer(table.schema.name, inputs[:1])
    with pytest.raises(InferenceServerException, match="not supported; send it uncompressed"):
        client.infer(table.schema.name, inputs, request_compression_algorithm="gzip")


WRONG: dict[str, tuple[dict[str, Any], bytes, str]] = {
    "too few bytes": ({"parameters": {"binary_data_size": 8}}, b"\0" * 8, "needs 16"),
    "more bytes than there are": ({"parameters": {"binary_data_size": 16}}, b"\0" * 8, "does not fit the body"),
    "a negative size": ({"parameters": {"binary_data_size": -8}}, b"\0" * 8, "does not fit the body"),
    "bytes of nobody": ({"parameters": {"binary_data_size": 16}}, b"\0" * 24, "belong to no tensor"),
    "data twice": ({"parameters": {"binary_data_size": 16}, "data": [1, 2]}, b"\0" * 16, "does not fit the body"),
    "no data at all": ({}, b"", "neither data nor"),
    "a size that is no number": ({"parameters": {"binary_data_size": "16"}}, b"", "neither data nor"),
    "an unknown type": ({"datatype": "BF16", "parameters": {"binary_data_size": 4}}, b"\0" * 4, "'BF16'"),
    "a text cut short": ({"datatype": "BYTES", "parameters": {"binary_data_size": 6}}, b"\4\0\0\0ab", "within a text"),
    "a length cut short": ({"datatype": "BYTES", "parameters": {"binary_data_size": 2}}, b"\4\0", "within a text"),
    "no UTF-8": ({"datatype": "BYTES", "parameters": {"binary_data_size": 5}}, b"\1\0\0\0\xff", "not UTF-8"),
    "too many texts": ({"datatype": "BYTES", "parameters": {"binary_data_size": 16}}, b"\0" * 16, "more texts"),
    "infinity": ({"parameters": {"binary_data_size": 16}}, np.array([np.inf, 1.0]).tobytes(), "finite"),
}


@pytest.mark.parametrize("change", WRONG)
def test_refuses_bytes_that_do_not_fit(served_table: Callable[[str], ServedTable], change: str) -> None:
    """Binary data is held against its tensor's shape and type before it is read."""
    table, service = served_table("claims")
    changed, values, words = WRONG[change]
    first = {"name": table.schema.features[0].name, "shape": [2], "datatype": "FP64"} | changed
    others = [
        {"name": feature.name, "shape": [2], "datatype": "FP64", "data": [feature.example, feature.example]}
        for feature in table.schema.features[1:]
        if not feature.missing
    ]
    head = msgspec.json.encode({"inputs": [first, *others]})
    with service.client() as caller:
        answer = caller.post(
            f"/v2/models/{table.schema.name}/infer",
            content=head + values,
            headers={"Inference-Header-Content-Length": str(len(head))},
        )
    assert answer.status_code == 400
    assert words in answer.json()["error"]


@pytest.mark.parametrize("length", ["", "-1", "1e3", "99999999", "²", "7" * 5000])
def test_refuses_a_length_that_is_none(served_table: Callable[[str], ServedTable], length: str) -> None:
    """The header that says where the JSON ends lies within the body."""
    table, service = served_table("claims")
    with service.client() as caller:
        answer = caller.post(
            f"/v2/models/{table.schema.name}/infer",
            content=b"{}",
            headers={b"Inference-Header-Content-Length": length.encode()},
        )
    assert answer.status_code == 400
    assert "inference-header-content-length" in answer.json()["error"]
