"""The OpenAPI document: Litestar describes the paths, msgspec, which reads and writes the bodies, describes those."""

from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Router
from litestar.enums import MediaType
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, Reference, SecurityScheme

from api.answers.bodies import Batch, BatchPrediction, Explanation, Prediction
from api.answers.invocations import Invocation, InvocationError, InvocationPredictions
from api.answers.pages import HEADERS, STATIC
from api.answers.probes import Health, ModelDescription, Ready
from api.http.problems import Problem
from api.model.schema import Features

BODIES = (
    *(Features, Prediction, Batch, BatchPrediction, Explanation, Problem),
    *(Invocation, InvocationPredictions, InvocationError),
    *(Health, Ready, ModelDescription),
)

KEY_SCHEMES: dict[str, SecurityScheme | Reference] = {
    "bearer": SecurityScheme(type="http", scheme="bearer", description="One of the service's API keys."),
    "header": SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header", description="The same."),
}

DESCRIPTION = """\
Predicts the median house value of a Californian block group of the 1990 census, in units of 100,000 US dollars.

A refused request is answered with a problem document (RFC 9457) that names each wrong field, what was sent and what is
allowed. On any path, a head of more than 32 KiB is answered 431, and a request that takes longer than 20 seconds 408.
The header `x-request-id` of an answer finds the request in the service's log.
"""


class _Document(JsonRenderPlugin):
    """Litestar leaves out what it does not know of msgspec: descriptions, units, that unknown fields are refused."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        _, schemas = msgspec.json.schema_components(BODIES, ref_template="#/components/schemas/{name}")
        components = {**openapi_schema["components"], "schemas": schemas}
        return super().render(request, {**openapi_schema, "components": components})


class _SwaggerPage(OpenAPIRenderPlugin):
    """Swagger UI; Litestar's own page has its code inline, which our policy forbids."""

    def __init__(self, page: Path) -> None:
        super().__init__(path="/", media_type=MediaType.HTML)
        self.page = page.read_bytes()

    def render(self, *_: Any) -> bytes:
        return self.page


def openapi_config(*, with_keys: bool) -> OpenAPIConfig:
    """Document and docs page under `/docs`; `with_keys` says that the predictions ask for an API key."""
    return OpenAPIConfig(
        title="California Housing",
        version="1",
        description=DESCRIPTION,
        render_plugins=[_SwaggerPage(STATIC / "docs.html"), _Document(path="/openapi.json")],
        openapi_router=Router("/docs", route_handlers=[], include_in_schema=False, response_headers=HEADERS),
        components=Components(security_schemes=KEY_SCHEMES) if with_keys else Components(),
    )
