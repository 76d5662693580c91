"""What the OpenAPI document says of the operations that `api.front` answers before Litestar sees them."""

from litestar import post
from litestar.openapi import ResponseSpec

from api.problems import Problem
from api.schemas import Batch, BatchPrediction, Features, Prediction

REFUSALS = {
    400: ResponseSpec(Problem, description="The body is not JSON.", media_type="application/problem+json"),
    401: ResponseSpec(Problem, description="An API key is required.", media_type="application/problem+json"),
    413: ResponseSpec(Problem, description="The body is too large.", media_type="application/problem+json"),
    415: ResponseSpec(Problem, description="The body is not application/json.", media_type="application/problem+json"),
    422: ResponseSpec(
        Problem, description="JSON that breaks the schema: every wrong field.", media_type="application/problem+json"
    ),
    503: ResponseSpec(Problem, description="Too many requests are waiting.", media_type="application/problem+json"),
}


@post("/predict", status_code=200, responses=REFUSALS, operation_id="predict", tags=["predictions"])
async def predict(data: Features) -> Prediction:
    """Predict the median house value of one block group."""
    raise NotImplementedError


@post("/predict/batch", status_code=200, responses=REFUSALS, operation_id="predict_batch", tags=["predictions"])
async def predict_batch(data: Batch) -> BatchPrediction:
    """Predict 1 to 10,000 block groups, answered in order."""
    raise NotImplementedError
