"""The OpenAPI document: Litestar describes the GETs, each endpoint itself, and msgspec the bodies."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Router
from litestar.enums import MediaType
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, Reference, SecurityScheme

from api.answers.endpoint import Endpoint
from api.answers.invocations import InvocationError
from api.answers.pages import HEADERS, STATIC
from api.answers.probes import Health, ModelDescription, Ready, describe
from api.answers.v2.messages import InferenceError
from api.http.problems import Problem
from api.model.model import Model
from api.rows.structs import wire_name
from api.store.schema import Schema
from api.watch.live import Live

KEY_SCHEMES: dict[str, SecurityScheme | Reference] = {
    "bearer": SecurityScheme(type="http", scheme="bearer", description="One of the service's API keys."),
    "header": SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header", description="The same."),
}

DESCRIPTION = """\
A refused request is answered with a problem document (RFC 9457) that names each wrong field, what was sent and what is
allowed. On any path, a head of more than 32 KiB is answered 431, and a request that takes longer than 20 seconds 408.
The header `x-request-id` of an answer finds the request in the service's log.
"""


class _Document(JsonRenderPlugin):
    """Litestar leaves out what it does not know of msgspec: descriptions, units, that unknown fields are refused."""

    def __init__(
        self, schema: Schema, endpoints: Sequence[Endpoint], description: ModelDescription, *, with_keys: bool
    ) -> None:
        super().__init__(path="/openapi.json")
        security: dict[str, Any] = {"security": [{name: []} for name in KEY_SCHEMES]} if with_keys else {}
        self.operations = {each.path: {"post": each.operation() | security} for each in endpoints}
        self.bodies = _bodies(schema, endpoints, description)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        components = {**openapi_schema["components"], "schemas": self.bodies}
        paths = {**self.operations, **openapi_schema["paths"]}
        return super().render(request, {**openapi_schema, "paths": paths, "components": components})


class _SwaggerPage(OpenAPIRenderPlugin):
    """Swagger UI; Litestar's own page has its code inline, which our policy forbids."""

    def __init__(self, page: Path) -> None:
        super().__init__(path="/", media_type=MediaType.HTML)
        self.page = page.read_bytes()

    def render(self, *_: Any) -> bytes:
        return self.page


def openapi_config(model: Model, endpoints: Sequence[Endpoint], live: Live, *, with_keys: bool) -> OpenAPIConfig:
    """Document and docs page under `/docs`; `with_keys` says that the predictions ask for an API key."""
    schema = model.schema
    document = _Document(schema, endpoints, describe(model, live), with_keys=with_keys)
    return OpenAPIConfig(
        title=schema.heading,
        version="1",
        description=f"{schema.description}\n\n{DESCRIPTION}".lstrip(),
        render_plugins=[_SwaggerPage(STATIC / "docs.html"), document],
        openapi_router=Router("/docs", route_handlers=[], include_in_schema=False, response_headers=HEADERS),
        components=Components(security_schemes=KEY_SCHEMES) if with_keys else Components(),
    )


def row_schema(schema: Schema, features: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of a row, complete in itself."""
    _, components = msgspec.json.schema_components([features])
    row = _with_names(schema, components[features.__name__])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **row}


def _bodies(schema: Schema, endpoints: Sequence[Endpoint], description: ModelDescription) -> dict[str, Any]:
    mine = {body.__name__: body for each in endpoints for body in (each.reads, each.writes)}
    others = (Problem, InvocationError, InferenceError, Health, Ready, ModelDescription)
    _, components = msgspec.json.schema_components(
        [*mine.values(), *others], ref_template="#/components/schemas/{name}"
    )
    components["Features"] = _with_names(schema, components["Features"])
    for name, value in msgspec.to_builtins(description).items():
        components["ModelDescription"]["properties"][name].setdefault("examples", [value])
    components["Ready"]["properties"]["model_name"]["examples"] = [schema.name]
    where, first = components["Fault"]["properties"]["field"], schema.names[0]
    where["description"] = f"Where, such as `{first}` or `rows[3].{first}`; empty for the body as a whole."
    where["examples"] = [first]
    return components


def _with_names(schema: Schema, row: dict[str, Any]) -> dict[str, Any]:
    """A row's JSON Schema with the features' own names in place of those that stand for them."""
    names = {wire_name(i, name): name for i, name in enumerate(schema.names)}
    return {
        **row,
        "properties": {names[name]: described for name, described in row["properties"].items()},
        "required": [names[name] for name in row["required"]],
    }
