"""What the OpenAPI document says of the operations that `api.http.front` answers before Litestar sees them."""

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Example, OpenAPIMediaType, Operation, Reference, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import JSONBody

from api.answers.bodies import Batch, BatchPrediction, Explanation, Prediction
from api.answers.examples import NamedExample
from api.answers.frames import FORMATS, INVALID
from api.answers.invocations import Invocation, InvocationError, InvocationPredictions
from api.answers.predictions import MAX_BATCH_BODY_BYTES, MAX_BODY_BYTES
from api.http.problems import PROBLEM_JSON, TITLES, Fault, Problem, ProblemError
from api.model.schema import EXAMPLE, FEATURES, Features


def _refusal(description: str, problem: ProblemError) -> ResponseSpec:
    document = msgspec.to_builtins(problem.document("463b35bc7914-2"))
    name = document["type"].rpartition(":")[2]
    return ResponseSpec(
        Problem,
        generate_examples=False,
        description=description,
        media_type=PROBLEM_JSON.decode(),
        examples=[NamedExample(id=name, summary=document["title"], value=document)],
    )


def _refusals(limit: int) -> dict[int, ResponseSpec]:
    """The refusals of an operation whose body has at most `limit` bytes."""
    return {
        400: _refusal("The body is not JSON.", ProblemError(400, "The body is empty; send a JSON object.")),
        401: _refusal(
            "The service asks for an API key, and none or a wrong one was sent.",
            ProblemError(401, "An API key is required: send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`."),
        ),
        413: _refusal(
            f"The body is larger than {limit:,} bytes.", ProblemError(413, f"The body is larger than {limit} bytes.")
        ),
        415: _refusal(
            "The body is not application/json in UTF-8, or it is compressed.",
            ProblemError(415, "Content-Type 'text/plain' is not supported; send application/json."),
        ),
        422: _refusal(
            "The body is JSON and breaks the schema: every wrong field is named.",
            ProblemError(
                422,
                "The body breaks the schema: MedInc: Expected `float`, got `str`.",
                [Fault("MedInc", "Expected `float`, got `str`", '"8.3"', "a number from 0 to 100")],
            ),
        ),
        500: _refusal("The model failed.", ProblemError(500, "The service failed to answer.")),
        503: _refusal(
            "Too many requests are waiting; `retry-after` says for how many seconds to wait.",
            ProblemError(503, "Too many requests are waiting; try again."),
        ),
    }


def _error(description: str, code: str, message: str) -> ResponseSpec:
    example = NamedExample(id=code, value={"error_code": code, "message": message})
    return ResponseSpec(InvocationError, generate_examples=False, description=description, examples=[example])


@post(
    "/predict",
    status_code=200,
    operation_id="predict",
    summary="Predict one house value",
    response_description="The prediction.",
    responses=_refusals(MAX_BODY_BYTES),
    tags=["predictions"],
)
async def predict(data: JSONBody[Features]) -> Prediction:
    """Predict the median house value of one block group."""
    raise NotImplementedError


@post(
    "/predict/batch",
    status_code=200,
    operation_id="predict_batch",
    summary="Predict many house values",
    response_description="The predictions, in the order of the rows.",
    responses=_refusals(MAX_BATCH_BODY_BYTES),
    tags=["predictions"],
)
async def predict_batch(data: JSONBody[Batch]) -> BatchPrediction:
    """Predict 1 to 10,000 block groups, answered in order."""
    raise NotImplementedError


@post(
    "/explain",
    status_code=200,
    operation_id="explain",
    summary="Explain a prediction",
    response_description="The prediction and its explanation.",
    responses=_refusals(MAX_BODY_BYTES),
    tags=["predictions"],
)
async def explain(data: JSONBody[Features]) -> Explanation:
    """Predict one block group and tell how far each feature pushed the prediction up or down.

    Base value and contributions add up to the prediction. They are XGBoost's `approx_contribs`, not SHAP.
    """
    raise NotImplementedError


@dataclass
class _InvocationOperation(Operation):
    """An operation with a body of several media types, which Litestar does not derive from a handler."""

    def __post_init__(self) -> None:
        split = {"columns": list(FEATURES), "data": [list(EXAMPLE.values())]}
        lines = [",".join(FEATURES), ",".join(map(str, EXAMPLE.values()))]
        examples: dict[str, Any] = {
            "dataframe_split": split,
            "dataframe_records": [EXAMPLE],
            "instances": [EXAMPLE],
            "inputs": {name: [value] for name, value in EXAMPLE.items()},
        }
        self.request_body = RequestBody(
            required=True,
            content={
                "application/json": OpenAPIMediaType(
                    schema=Schema(
                        all_of=[Reference(f"#/components/schemas/{Invocation.__name__}")],
                        one_of=[Schema(required=[name]) for name in FORMATS],
                    ),
                    examples={name: Example(value={name: value}) for name, value in examples.items()},
                ),
                "text/csv": OpenAPIMediaType(
                    schema=Schema(type=OpenAPIType.STRING), examples={"csv": Example(value="\n".join([*lines, ""]))}
                ),
            },
        )


@post(
    "/invocations",
    status_code=200,
    operation_id="invocations",
    operation_class=_InvocationOperation,
    summary="Predict, as MLflow's scoring server does",
    response_description="The predictions, in the order of the rows.",
    responses={
        **_refusals(MAX_BATCH_BODY_BYTES),
        400: _error("The body cannot be read.", INVALID, "Model is missing inputs ['MedInc']."),
        415: ResponseSpec(
            str,
            generate_examples=False,
            description="The body is neither JSON nor CSV in UTF-8.",
            media_type="text/plain",
            examples=[
                NamedExample(
                    id="unsupported-media-type",
                    summary=TITLES[415],
                    value="Content-Type 'text/plain' is not supported; send application/json or text/csv.",
                )
            ],
        ),
    },
    tags=["MLflow and SageMaker"],
)
async def invocations() -> InvocationPredictions:
    """Predict up to 10,000 rows in any format of MLflow's scoring protocol, or as CSV with a line of column names.

    Columns go by name and others are ignored. MLflow's rules apply rather than the feature schema's: no bounds are
    checked, and numbers may be given as strings. A missing value is refused. `GET /ping` and `GET /version` answer as
    MLflow's server does.
    """
    raise NotImplementedError


OPERATIONS: tuple[HTTPRouteHandler, ...] = (predict, predict_batch, explain, invocations)
