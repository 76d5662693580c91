"""POST /invocations for tables of every kind, beside MLflow's pyfunc of the same directory."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import mlflow.pyfunc
import numpy as np
import pytest

from tests.api.tables import ServedTable, Table


@pytest.fixture(scope="module", params=["claims", "churn", "species", "odd"])
def asked(
    request: pytest.FixtureRequest, served_table: Callable[[str], ServedTable]
) -> Iterator[tuple[Table, httpx.Client]]:
    """A table and a client of the service of its model."""
    table, service = served_table(request.param)
    with service.client() as client:
        yield table, client


def expected(table: Table) -> Any:
    """What MLflow answers to the rows: pandas' frames go to the booster as they are."""
    if any(feature.kind == "category" for feature in table.schema.features):
        # MLflow's own wrapper does not let XGBoost have categories.
        return table.booster.predict(table.matrix())
    unnamed = table.frame.set_axis(range(table.frame.shape[1]), axis=1)
    return mlflow.pyfunc.load_model(str(table.folder)).predict(unnamed)


def test_every_format(asked: tuple[Table, httpx.Client]) -> None:
    """Each of MLflow's formats holds categories, missing values and yes or no, and is answered alike."""
    table, client = asked
    names, wanted = list(table.schema.names), np.float32(expected(table))
    full = [{name: row.get(name) for name in names} for row in table.bodies()]
    bodies: dict[str, Any] = {
        "dataframe_split": {"columns": names, "data": [list(row.values()) for row in full]},
        "dataframe_records": full,
        "instances": table.bodies(),
        "inputs": {name: [row[name] for row in full] for name in names},
    }
    for name, body in bodies.items():
        answer = client.post("/invocations", json={name: body})
        assert answer.status_code == 200, answer.text
        np.testing.assert_array_equal(np.float32(answer.json()["predictions"]), wanted)


def test_csv(asked: tuple[Table, httpx.Client]) -> None:
    """A CSV as pandas writes it, empty cells for missing values, is answered alike."""
    table, client = asked
    sent = table.frame.to_csv(index=False, float_format="%.17g").encode()
    answer = client.post("/invocations", content=sent, headers={"content-type": "text/csv"})
    assert answer.status_code == 200, answer.text
    np.testing.assert_array_equal(np.float32(answer.json()["predictions"]), np.float32(expected(table)))


def test_an_unknown_category_is_refused(asked: tuple[Table, httpx.Client]) -> None:
    """A category that the model never saw is refused, where XGBoost would predict something of it."""
    table, client = asked
    name = next((each.name for each in table.schema.features if each.kind == "category"), "")
    row = {each: table.bodies()[0].get(each) for each in table.schema.names} | {name: "nowhere"}
    answer = client.post("/invocations", json={"dataframe_records": [row]})
    assert answer.status_code == (400 if name else 200)
    if name:
        assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
        assert "'nowhere'" in answer.json()["message"]
