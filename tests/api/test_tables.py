"""Tables of every kind, each through a real service: answers are XGBoost's own, and what breaks a schema is refused."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jsonschema_rs
import numpy as np
import openapi_spec_validator
import pytest

from tests.api.tables import MANY, TABLES, ServedTable, Table

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module", params=list(TABLES))
def both(request: pytest.FixtureRequest, served_table: Callable[[str], ServedTable]) -> ServedTable:
    """A table and the service of its model."""
    return served_table(request.param)


@pytest.fixture(scope="module")
def table(both: ServedTable) -> Table:
    return both.table


@pytest.fixture(scope="module")
def client(both: ServedTable) -> Iterator[httpx.Client]:
    with both.service.client() as client:
        yield client


def whole(table: Table) -> dict[str, Any]:
    """A row in which no value is missing."""
    values = {"number": 1.5, "integer": 2, "boolean": True}
    return {each.name: each.categories[0] if each.categories else values[each.kind] for each in table.schema.features}


def problem(response: httpx.Response) -> Any:
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    return response.json()


def test_answers_are_xgboosts(table: Table, client: httpx.Client) -> None:
    """Alone and in a batch, a row's number or probabilities are XGBoost's, missing values and categories included."""
    rows, expected = table.bodies(), table.predicted()
    batch = client.post("/predict/batch", json={"rows": rows})
    assert batch.status_code == 200, batch.text
    alone = [client.post("/predict", json=row).raise_for_status().json() for row in rows]
    for items in (batch.json()["predictions"], alone):
        np.testing.assert_array_equal(table.values(items), expected)
        if table.schema.target.kind == "number":
            continue
        for item, probabilities in zip(items, expected, strict=True):
            each = [1 - probabilities[0], *probabilities] if len(probabilities) == 1 else probabilities
            assert item["label"] == table.schema.target.classes[int(np.argmax(each))]
            assert list(item["probabilities"]) == list(table.schema.target.classes)
            assert item["label"] in item["set"]
            within = {name for name, share in item["probabilities"].items() if share >= 0.2}
            assert set(item["set"]) == within | {item["label"]}


def test_explanations_are_xgboosts(table: Table, client: httpx.Client) -> None:
    """The contributions are XGBoost's, in raw score where a link function follows, and of the class that is named."""
    contributions = table.booster.predict(table.matrix(), pred_contribs=True, approx_contribs=True)
    classes = table.schema.target.classes if table.schema.target.kind == "category" else (None,)
    contributions = contributions.reshape(len(table.frame), len(classes), -1)
    for i, row in enumerate(table.bodies()[:10]):
        for place, name in enumerate(classes):
            answer = client.post("/explain", json=row, params={} if name is None else {"class": name})
            assert answer.status_code == 200, answer.text
            told = answer.json()
            assert list(told["contributions"]) == list(table.schema.names)
            assert told.get("explained_class") == name
            numbers = [*told["contributions"].values(), told["base_value"]]
            np.testing.assert_allclose(numbers, contributions[i, place], rtol=0, atol=1e-5)
            linked = TABLES[table.schema.name][1] != "reg:squarederror"
            assert told.get("contributions_unit") == ("raw score" if linked else None)
        predicted = client.post("/explain", json=row).json()
        if name is not None:
            assert predicted["explained_class"] == predicted["label"]
    refused = client.post("/explain", json=row, params={"class": "nobody"})
    assert refused.status_code == (200 if name is None else 422)


def test_rows_that_differ_in_one_value_are_refused_or_answered_by_the_schema(
    table: Table, client: httpx.Client
) -> None:
    """A service refuses and accepts exactly what the JSON Schema it publishes does; a refusal names the field."""
    validator = jsonschema_rs.validator_for(client.get("/schema").json())
    values: list[Any] = [None, True, False, 0, 1, -1, 2.5, 1e39, -1e39, 101, 2**70, "", "1", "true", "sea", "place 24"]
    values += ["place 25", [], {}, [1], {"a": 1}]
    base = whole(table)
    for feature in table.schema.features[:30]:
        for value in values:
            row = base | {feature.name: value}
            answer = client.post("/predict", content=json.dumps(row), headers=JSON)
            assert answer.status_code == (200 if validator.is_valid(row) else 422), (feature, value, answer.text)
            if answer.status_code == 422:
                assert [error["field"] for error in answer.json()["errors"]] == [feature.name]
                assert all(error["allowed"] and error["value"] for error in answer.json()["errors"])
        without = {name: value for name, value in base.items() if name != feature.name}
        answer = client.post("/predict", json=without)
        assert answer.status_code == (200 if feature.missing else 422)
        assert validator.is_valid(without) == feature.missing
    for unknown in ("unknown", "", "f1", "\ue0003", "__class__", "Living area"):
        row = base | {unknown: 1}
        assert not validator.is_valid(row)
        assert [error["field"] for error in problem(client.post("/predict", json=row))["errors"]] == [unknown]


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity", "1" + "0" * 400, "9" * 5000, "01", "1."])
def test_numbers_that_nothing_holds(table: Table, client: httpx.Client, number: str) -> None:
    """A number beyond any float, or one that JSON does not have, is refused, alone and in a batch, never predicted."""
    feature = next(feature for feature in table.schema.features if feature.kind == "number")
    row = json.dumps(whole(table) | {feature.name: "HERE"}).replace('"HERE"', number)
    for path, body in (("/predict", row), ("/predict/batch", f'{{"rows": [{row}]}}')):
        answer = client.post(path, content=body, headers=JSON)
        assert answer.status_code in (400, 422), (number, answer.text)
        if answer.status_code == 422:
            assert answer.json()["errors"][0]["field"].endswith(feature.name), answer.text


def test_a_field_given_twice(table: Table, client: httpx.Client) -> None:
    """Every field given twice is refused, with the same or another value, written plainly or with an escape."""
    row = json.dumps(whole(table))
    for name, value in list(whole(table).items())[:30]:
        escaped = '"' + "".join(f"\\u{ord(unit):04x}" for unit in name if ord(unit) < 2**16) + '"'
        for written in (
            (json.dumps(name), escaped) if name.isprintable() and max(name) < "\U00010000" else (json.dumps(name),)
        ):
            twice = row[:-1] + f", {written}: {json.dumps(value)}}}"
            for path, body in (
                ("/predict", twice),
                ("/explain", twice),
                ("/predict/batch", f'{{"rows": [{row}, {twice}]}}'),
            ):
                answer = client.post(path, content=body, headers=JSON)
                assert answer.status_code == 422, (path, name, answer.text)
                assert "more than once" in answer.json()["detail"]
    answer = client.post("/predict/batch", content=f'{{"rows": [{row}], "rows": [{row}]}}', headers=JSON)
    assert answer.status_code == 422


def test_a_name_or_value_may_be_written_with_escapes(table: Table, client: httpx.Client) -> None:
    """JSON's escapes change nothing, a colon that is written as one included."""
    row = whole(table)
    plain = client.post("/predict", json=row).raise_for_status().json()
    escaped = {
        "".join(f"\\u{ord(letter):04x}" if letter < "\U00010000" else letter for letter in name): value
        for name, value in row.items()
    }
    body = json.dumps(escaped, ensure_ascii=False).replace("\\\\u", "\\u")
    assert client.post("/predict", content=body.encode(), headers=JSON).json() == plain
    indented = client.post("/predict", content=json.dumps(row, indent=4, ensure_ascii=False).encode(), headers=JSON)
    assert indented.json() == plain


def test_documents_are_valid(table: Table, client: httpx.Client) -> None:
    """The OpenAPI document and the row's JSON Schema are valid, and what they show as examples is what they allow."""
    document = client.get("/docs/openapi.json").json()
    openapi_spec_validator.validate(document)
    schema = client.get("/schema").json()
    jsonschema_rs.meta.validate(schema)
    assert list(schema["properties"]) == list(table.schema.names)
    assert set(schema["required"]) == {feature.name for feature in table.schema.features if not feature.missing}
    prediction = client.post("/predict", json=whole(table)).json()
    described = {"$ref": "#/components/schemas/Prediction", "components": document["components"]}
    jsonschema_rs.validator_for(described).validate(prediction)


def test_says_what_serves(table: Table, client: httpx.Client) -> None:
    """/model, /ready, /table and the page speak of the table and of nothing else; a model without examples is ready."""
    told = client.get("/model").json()
    assert told["name"] == table.schema.name
    assert told["features"] == list(table.schema.names)
    assert told["classes"] == list(table.schema.target.classes)
    assert told["objective"] == TABLES[table.schema.name][1]
    assert client.get("/ready").json()["status"] == "ready"
    assert client.get("/").status_code == 200


def test_extrapolation_is_named(table: Table, client: httpx.Client) -> None:
    """A number that training never saw is named; a missing value and a category are not."""
    last = [feature for feature in table.schema.features if feature.kind == "number"][-1]
    row = next({k: v for k, v in body.items() if v is not None} | {last.name: 99.0} for body in table.bodies())
    assert client.post("/predict", json=row).raise_for_status().json()["extrapolated"] == [last.name]


@pytest.mark.parametrize("both", ["claims", "churn", "species"], indirect=True)
def test_an_unknown_category_is_told_the_list(table: Table, client: httpx.Client) -> None:
    """A category outside the list is refused with the first twenty of the list and how many more there are."""
    [fault] = problem(client.post("/predict", json=whole(table) | {"place": "nowhere"}))["errors"]
    assert fault["field"] == "place"
    assert fault["value"] == '"nowhere"'
    assert f'"{MANY[19]}"' in fault["allowed"]
    assert f'"{MANY[20]}"' not in fault["allowed"]
    assert fault["allowed"].endswith("and 5 more")


@pytest.mark.parametrize("both", ["claims", "odd", "wide"], indirect=True)
def test_interval_is_cut_at_the_targets_bounds(table: Table, client: httpx.Client) -> None:
    """A number's interval is that of its bin, and never below what the target can be."""
    target = table.schema.target
    for item in client.post("/predict/batch", json={"rows": table.bodies()}).json()["predictions"]:
        value = item[target.answer]
        low, high = (0.5, 1.0) if value < 2 else (1.0, 2.0)
        assert item["interval"]["low"] == max(value - low, float("-inf") if target.low is None else target.low)
        assert item["interval"]["high"] == value + high
