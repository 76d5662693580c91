"""What the Open Inference Protocol (V2) tells of the server and of the model; `inference` predicts by it."""

from typing import Any

from litestar import Response, get
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec

from api.answers.v2.binary import EXTENSION
from api.answers.v2.inference import Inference
from api.model.readiness import Readiness

_TAGS = ["Open Inference Protocol"]

PLATFORM = "xgboost"


def metadata(inference: Inference) -> list[HTTPRouteHandler]:
    """The handlers of health and metadata, for a model whose name and version are part of the paths."""
    name, version = inference.schema.name, inference.predictions.model.version
    model = f"/v2/models/{name}"
    server = {"name": name, "version": version, "extensions": [EXTENSION]}
    described = {
        "name": name,
        "versions": [version],
        "platform": PLATFORM,
        "inputs": inference.inputs(),
        "outputs": inference.outputs(),
    }
    return [
        _fixed("/v2", "server_metadata", "What is this server?", server),
        _fixed("/v2/health/live", "server_live", "Does the process answer?", {"live": True}),
        _ready("/v2/health/ready", "server_ready", {}),
        _ready(f"{model}/ready", "model_ready", {"name": name}),
        _ready(f"{model}/versions/{version}/ready", "version_ready", {"name": name}),
        _fixed(model, "model_metadata", "What does the model take?", described),
        _fixed(f"{model}/versions/{version}", "version_metadata", "What does this version take?", described),
    ]


def _fixed(path: str, operation_id: str, summary: str, body: dict[str, Any]) -> HTTPRouteHandler:
    @get(path, operation_id=operation_id, summary=summary, tags=_TAGS)
    async def tell() -> dict[str, Any]:
        return body

    return tell


def _ready(path: str, operation_id: str, beside: dict[str, Any]) -> HTTPRouteHandler:
    @get(
        path,
        operation_id=operation_id,
        summary="Does the model predict?",
        tags=_TAGS,
        responses={503: ResponseSpec(dict[str, Any], generate_examples=False, description="Not now.")},
    )
    async def tell(state: State) -> Response[dict[str, Any]]:
        readiness: Readiness = state.readiness
        works = not await readiness.reason()
        return Response({**beside, "ready": works}, status_code=200 if works else 503)

    return tell
