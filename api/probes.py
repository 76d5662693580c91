"""`/health`: the process answers. `/ready`: it predicts. `/model`: what predicts."""

import msgspec
from litestar import Response, get
from litestar.datastructures import State
from litestar.openapi import ResponseSpec

from api.manifest import MODEL_NAME
from api.model import Model
from api.readiness import Readiness
from api.schemas import BOUNDS, FEATURES, TARGET, TARGET_UNIT


class Health(msgspec.Struct):
    """The process can answer."""

    status: str = "ok"


class Ready(msgspec.Struct, omit_defaults=True):
    """Whether a prediction has just worked."""

    status: str
    model_name: str
    model_version: str
    reason: str = ""


class ModelDescription(msgspec.Struct):
    """The model that serves."""

    name: str
    version: str
    run_id: str
    trained_at: str
    target: str
    unit: str
    metrics: dict[str, float]
    interval_half_width: float | None
    features: list[str]
    bounds: dict[str, tuple[float, float]]
    """What is accepted."""
    ranges: dict[str, tuple[float, float]]
    """What the model was trained on."""


@get("/health", operation_id="health", summary="Does the process answer?", tags=["probes"])
async def health() -> Health:
    """200 as long as the process can answer at all; for the load balancer."""
    return Health()


@get(
    "/ready",
    operation_id="ready",
    summary="Does the service predict?",
    tags=["probes"],
    responses={503: ResponseSpec(Ready, description="Not ready: the body says why.")},
)
async def ready(state: State) -> Response[Ready]:
    """200 if a prediction has just worked, else 503 with the reason; for the container's health check."""
    readiness: Readiness = state.readiness
    model: Model = state.model
    reason = await readiness.reason()
    answer = Ready("not ready" if reason else "ready", MODEL_NAME, model.version, reason)
    return Response(answer, status_code=503 if reason else 200)


@get("/model", operation_id="model", summary="Which model serves?", tags=["model"])
async def describe_model(state: State) -> ModelDescription:
    """Name, version, training run, test metrics, features and their ranges."""
    model: Model = state.model
    return ModelDescription(
        name=MODEL_NAME,
        version=model.version,
        run_id=model.run_id,
        trained_at=model.trained_at,
        target=TARGET,
        unit=TARGET_UNIT,
        metrics=model.metrics,
        interval_half_width=model.half_width,
        features=list(FEATURES),
        bounds=BOUNDS,
        ranges=model.ranges,
    )
