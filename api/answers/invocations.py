"""`POST /invocations`: what MLflow's scoring server answers, for clients of MLflow and SageMaker."""

from typing import Annotated

import msgspec
from litestar.types import HTTPScope, Receive
from msgspec import Meta

from api.answers.bodies import EXAMPLE_VALUE
from api.answers.frames import INVALID, FrameError, read_csv, read_json
from api.answers.predictions import MAX_BATCH_BODY_BYTES, Predictions
from api.http.messages import Reply
from api.model.schema import EXAMPLE, FEATURES

_READERS = {"application/json": read_json, "text/csv": read_csv}

_Record = dict[str, float]


class Split(msgspec.Struct):
    """A data frame as pandas writes it with `orient="split"`."""

    columns: Annotated[list[str], Meta(description="The eight features, in any order.", examples=[list(FEATURES)])]
    data: Annotated[list[list[float]], Meta(description="Rows, in that order.", examples=[[list(EXAMPLE.values())]])]
    index: Annotated[list[int | str] | None, Meta(description="Not used.", examples=[[0]])] = None


class Invocation(msgspec.Struct, omit_defaults=True):
    """Exactly one of the four formats of MLflow's scoring protocol."""

    dataframe_split: Split | None = None
    dataframe_records: Annotated[list[_Record], Meta(description="One object a row.", examples=[[EXAMPLE]])] = []
    instances: Annotated[list[_Record], Meta(description="As TensorFlow Serving's rows.", examples=[[EXAMPLE]])] = []
    inputs: Annotated[
        dict[str, float | list[float]] | list[_Record],
        Meta(description="As TensorFlow Serving's columns.", examples=[{name: [EXAMPLE[name]] for name in EXAMPLE}]),
    ] = []


class InvocationPredictions(msgspec.Struct):
    """The predictions, in the order of the rows."""

    predictions: Annotated[list[float], Meta(description="In 100,000 USD of 1990.", examples=[[EXAMPLE_VALUE]])]


class InvocationError(msgspec.Struct):
    """Why a request was refused, in MLflow's words."""

    error_code: Annotated[str, Meta(description="MLflow's name for the kind of error.", examples=[INVALID])]
    message: Annotated[str, Meta(description="What is wrong.", examples=["Model is missing inputs ['MedInc']."])]


class Invocations:
    """Answers with the predictions' own model and limits."""

    def __init__(self, predictions: Predictions) -> None:
        self.predictions = predictions

    async def answer(self, scope: HTTPScope, receive: Receive) -> Reply:
        """`POST /invocations`: up to 10,000 rows, as JSON or CSV."""
        sent = b"".join(value for name, value in scope["headers"] if name == b"content-type").decode("latin-1")
        kind, *parameters = (part.strip() for part in sent.split(";"))
        if kind not in _READERS or [p for p in parameters if p.lower() != "charset=utf-8"]:
            message = f"Content-Type {sent[:64]!r} is not supported; send application/json or text/csv, in UTF-8."
            return Reply(415, message.encode(), b"text/plain; charset=utf-8")
        body = await self.predictions.bodies.read(scope, receive, MAX_BATCH_BODY_BYTES)
        try:
            rows = _READERS[kind](body)
        except FrameError as error:
            return Reply(400, msgspec.json.encode(InvocationError(error.code, str(error))))
        answers = await self.predictions.batcher.predict_many(rows)
        return Reply(200, msgspec.json.encode(InvocationPredictions([answer.value for answer in answers])))
