"""Litestar's own typed handler, which predicts nothing: what the framework costs as it comes."""

import msgspec
from litestar import Litestar, get, post

from benchmarks.stacks.features import Features


class Answer(msgspec.Struct):
    """The response body."""

    median_house_value: float


@get("/health")
async def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@post("/predict", status_code=200)
async def predict(data: Features) -> Answer:
    """Give an input back."""
    return Answer(data.MedInc)


app = Litestar([health, predict], openapi_config=None)
