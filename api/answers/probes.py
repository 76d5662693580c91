"""`/health`: the process answers. `/ready`: it predicts. `/model`: what predicts. `/schema`: what a row is.

`/ping` and `/version` are MLflow's, for its clients and for SageMaker; what is below `/v2` is the Open Inference
Protocol's.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get
from litestar.datastructures import State
from litestar.openapi import ResponseSpec
from msgspec import Meta

from api.answers.examples import NamedExample
from api.model.model import Model
from api.model.readiness import Readiness
from api.store.manifest import IntervalBins
from api.watch.figures import LiveFigures, live_figures
from api.watch.live import Live


class Health(msgspec.Struct):
    """The process can answer."""

    status: Annotated[Literal["ok"], Meta(description="Always the same.", examples=["ok"])] = "ok"


class Ready(msgspec.Struct, omit_defaults=True):
    """Whether a prediction has just worked."""

    status: Annotated[Literal["ready", "not ready"], Meta(description="In a word.", examples=["ready"])]
    model_name: Annotated[str, Meta(description="The registered model.")]
    model_version: Annotated[str, Meta(description="Its version.", examples=["1"])]
    reason: Annotated[str, Meta(description="Why not ready; absent if ready.", examples=["shutting down"])] = ""


_Range = Annotated[Sequence[float | None], Meta(min_length=2, max_length=2)]
_Ranges = Mapping[str, _Range]


class ModelDescription(msgspec.Struct):
    """The model that serves."""

    name: Annotated[str, Meta(description="The registered model.")]
    version: Annotated[str, Meta(description="Its version; `unpublished` without a manifest.", examples=["1"])]
    run_id: Annotated[str, Meta(description="MLflow's training run.", examples=["efd0f13c866647b2a4502bbb2c95418e"])]
    trained_at: Annotated[str, Meta(description="UTC, ISO 8601.", examples=["2026-01-31T08:32:10+00:00"])]
    target: Annotated[str, Meta(description="What is predicted, in the dataset's name.")]
    unit: Annotated[str, Meta(description="Unit of the target.")]
    objective: Annotated[str, Meta(description="XGBoost's.", examples=["reg:squarederror"])]
    classes: Annotated[list[str], Meta(description="What is told apart; none where a number is predicted.")]
    metrics: Annotated[dict[str, float], Meta(description="Test metrics, in the unit.", examples=[{"test_rmse": 0.45}])]
    interval: Annotated[
        IntervalBins | None,
        Meta(description="The 90 % interval by bins of the prediction; null if the model has none."),
    ]
    features: Annotated[list[str], Meta(description="In the model's order.")]
    bounds: Annotated[_Ranges, Meta(description="Lowest and highest value accepted of each number; null: any.")]
    ranges: Annotated[_Ranges, Meta(description="Lowest and highest value in training; {} if unknown.")]
    table_sha256: Annotated[str, Meta(description="Of the table's description at training; empty if there was none.")]
    live: Annotated[
        LiveFigures | None,
        Meta(description="What this process was asked, and how far from training it is; null where DOCS=false."),
    ]


@get("/health", operation_id="health", summary="Does the process answer?", tags=["probes"])
async def health() -> Health:
    """200 as long as the process can answer at all; for the load balancer."""
    return Health()


@get(
    "/ready",
    operation_id="ready",
    summary="Does the service predict?",
    tags=["probes"],
    responses={
        503: ResponseSpec(
            Ready,
            generate_examples=False,
            description="Not ready: the body says why.",
            examples=[
                NamedExample(
                    id="not-ready",
                    value={
                        "status": "not ready",
                        "model_name": "model",
                        "model_version": "1",
                        "reason": "shutting down",
                    },
                )
            ],
        )
    },
)
async def ready(state: State) -> Response[Ready]:
    """200 if a prediction has just worked, else 503 with the reason; for the container's health check."""
    readiness: Readiness = state.readiness
    model: Model = state.model
    reason = await readiness.reason()
    answer = Ready("not ready" if reason else "ready", model.schema.name, model.version, reason)
    return Response(answer, status_code=503 if reason else 200)


@get("/model", operation_id="model", summary="Which model serves?", tags=["model"])
async def describe_model(state: State) -> ModelDescription:
    """Name, version, training run, test metrics, features and their ranges."""
    return describe(state.model, state.live)


def describe(model: Model, live: Live | None) -> ModelDescription:
    """What the service says of the model that it serves and, where it may, of what it was asked."""
    schema = model.schema
    return ModelDescription(
        name=schema.name,
        version=model.version,
        run_id=model.run_id,
        trained_at=model.trained_at,
        target=schema.target.name,
        unit=schema.target.unit,
        objective=model.trees.objective.name,
        classes=list(schema.target.classes),
        metrics=model.metrics,
        interval=model.interval,
        features=list(schema.names),
        bounds={
            feature.name: (feature.low, feature.high)
            for feature in schema.features
            if feature.kind in ("number", "integer")
        },
        ranges=model.ranges,
        table_sha256=model.table_sha256,
        live=live_figures(live) if live else None,
    )


@get("/schema", operation_id="schema", summary="What is a row?", tags=["model"])
async def row_schema(state: State) -> dict[str, Any]:
    """The JSON Schema of a row, as `POST /predict` takes it."""
    schema: dict[str, Any] = state.row_schema
    return schema


@get("/ping", include_in_schema=False, media_type="application/json", sync_to_thread=False)
def ping() -> bytes:
    """200 as long as the process can answer, as MLflow's scoring server does."""
    return b"\n"


@get("/version", include_in_schema=False, media_type="application/json", sync_to_thread=False)
def version(state: State) -> bytes:
    """The version of the MLflow that wrote the model; MLflow's scoring server tells its own, which must be as new."""
    model: Model = state.model
    return model.mlflow_version.encode()
