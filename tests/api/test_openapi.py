"""The OpenAPI document is valid, complete, and true of the service."""

from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.california import BOUNDS, FEATURES
from tests.running import Service

POSTS = ("/predict", "/predict/batch", "/explain", "/invocations")


@pytest.fixture(scope="module")
def document(service: Service) -> dict[str, Any]:
    with service.client() as client:
        decoded: dict[str, Any] = client.get("/docs/openapi.json").json()
    return decoded


def check(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    """Fail unless a value fits a schema of the document."""
    jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]}).validate(value)


def test_document_is_openapi_31(document: dict[str, Any]) -> None:
    """The document is valid OpenAPI 3.1."""
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_features_have_unit_bounds_and_reason(document: dict[str, Any]) -> None:
    """Each feature says its unit, its bounds and why they are so; unknown fields are refused."""
    schema = document["components"]["schemas"]["Features"]
    assert schema["additionalProperties"] is False
    assert schema["required"] == list(schema["properties"]) == list(FEATURES)
    for name, field in schema["properties"].items():
        assert (field["minimum"], field["maximum"]) == BOUNDS[name]
        assert field["x-unit"]
        assert "Bounds: " in field["description"]


def test_every_field_is_described_by_an_example_that_fits(document: dict[str, Any]) -> None:
    """Each field of each body has a description and an example that its own schema accepts."""
    for name, schema in document["components"]["schemas"].items():
        assert schema["description"], name
        for field, described in schema["properties"].items():
            if "$ref" in str(described) and "examples" not in described:
                continue  # objects with fields of their own
            assert described["description"], f"{name}.{field}"
            for example in described["examples"]:
                check(document, described, example)


def test_every_error_has_an_example_that_fits(document: dict[str, Any]) -> None:
    """Each operation lists its refusals, each with an example of the document it is answered with."""
    for path in POSTS:
        responses = document["paths"][path]["post"]["responses"]
        assert {"400", "401", "413", "415", "422", "500", "503"} <= set(responses)
        for status, response in responses.items():
            for kind, content in response["content"].items():
                if status == "200":
                    continue
                (example,) = content["examples"].values()
                check(document, content["schema"], example["value"])
                if kind == "application/problem+json":
                    assert example["value"]["status"] == int(status)


@pytest.mark.parametrize("path", POSTS)
def test_examples_are_answered_as_documented(service: Service, document: dict[str, Any], path: str) -> None:
    """Each example body is accepted, and its answer fits the documented one."""
    operation = document["paths"][path]["post"]
    answered = operation["responses"]["200"]["content"]["application/json"]["schema"]
    schemas = document["components"]["schemas"]
    with service.client() as client:
        for kind, content in operation["requestBody"]["content"].items():
            if "examples" in content:
                bodies = [example["value"] for example in content["examples"].values()]
            else:
                fields = schemas[content["schema"]["$ref"].rpartition("/")[2]]["properties"]
                bodies = [{name: field["examples"][0] for name, field in fields.items()}]
            for body in bodies:
                sent = {"content": body} if isinstance(body, str) else {"json": body}
                response = client.post(path, headers={"content-type": kind}, **sent)
                assert response.status_code == 200
                check(document, answered, response.json())


def test_answers_of_the_probes_fit(service: Service, document: dict[str, Any]) -> None:
    """What /health, /ready and /model answer fits the document."""
    with service.client() as client:
        for path in ("/health", "/ready", "/model"):
            schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            check(document, schema, client.get(path).raise_for_status().json())


def test_keys_are_in_the_document_where_they_are_asked_for(
    service: Service, serve: Any, model_directory: Any, document: dict[str, Any]
) -> None:
    """A service that asks for API keys says so at the operations that do, and only such a service."""
    assert "security" not in document["paths"]["/predict"]["post"]
    guarded = serve(MODEL_PATH=str(model_directory), API_KEYS="secret")
    with guarded.client() as client:
        described = client.get("/docs/openapi.json").json()
    assert set(described["components"]["securitySchemes"]) == {"bearer", "header"}
    for path in POSTS:
        assert described["paths"][path]["post"]["security"] == [{"bearer": []}, {"header": []}]
    assert "security" not in described["paths"]["/health"]["get"]
