"""`POST /invocations`: what MLflow's scoring server answers, for clients of MLflow and SageMaker."""

import csv
import io
from collections.abc import Callable
from types import GenericAlias
from typing import Annotated, Any

import msgspec
from litestar.types import HTTPScope, Receive
from msgspec import Meta

from api.answers.endpoint import Endpoint, reference, response
from api.answers.predictions import Predictions
from api.http.messages import Reply
from api.model.answers import Answers
from api.model.classes import class_probabilities, most_probable
from api.rows.faults import MAX_BATCH_BODY_BYTES
from api.rows.fields import described, in_words
from api.rows.frames import FORMATS, INVALID, FrameError, FrameReader
from api.store.schema import Schema


class InvocationError(msgspec.Struct):
    """Why a request was refused, in MLflow's words."""

    error_code: Annotated[str, Meta(description="MLflow's name for the kind of error.", examples=[INVALID])]
    message: Annotated[str, Meta(description="What is wrong.", examples=["Model is missing inputs ['area']."])]


class Invocations:
    """Answers with the predictions' own model and limits."""

    def __init__(self, predictions: Predictions) -> None:
        self.predictions = predictions
        frames = FrameReader(predictions.reader.fields, predictions.reader.unknown)
        self.readers: dict[str, Callable[[bytes], Any]] = {
            "application/json": frames.read_json,
            "text/csv": frames.read_csv,
        }
        self.reads = _invocation(predictions.model.schema)
        self.writes = _invocation_predictions(predictions.model.schema)

    async def answer(self, scope: HTTPScope, receive: Receive) -> Reply:
        """`POST /invocations`: up to 10,000 rows, as JSON or CSV."""
        sent = b"".join(value for name, value in scope["headers"] if name == b"content-type").decode("latin-1")
        kind, *parameters = (part.strip() for part in sent.split(";"))
        if kind not in self.readers or [p for p in parameters if p.lower() != "charset=utf-8"]:
            message = f"Content-Type {sent[:64]!r} is not supported; send application/json or text/csv, in UTF-8."
            return Reply(415, message.encode(), b"text/plain; charset=utf-8")
        body = await self.predictions.receiver.read(scope, receive, MAX_BATCH_BODY_BYTES)
        try:
            rows = self.readers[kind](body)
        except FrameError as error:
            return Reply(400, msgspec.json.encode(InvocationError(error.code, str(error))))
        answers = await self.predictions.batcher.predict_many(rows)
        self.predictions.keep_many(scope["state"]["request_id"], rows, answers)
        return Reply(200, msgspec.json.encode(self.writes(self._values(answers))))

    def _values(self, answers: Answers) -> list[Any]:
        """What MLflow answers: of scikit-learn's classifier the class's code, else what the booster predicts."""
        values: list[Any] = answers.predicted.tolist()
        if self.predictions.model.predicts_labels:
            return [most_probable(class_probabilities(value)) for value in values]
        return values

    def endpoint(self) -> Endpoint:
        """With what the documents say of it."""
        schema = self.predictions.model.schema
        return Endpoint(
            path="/invocations",
            answer=self.answer,
            operation_id="invocations",
            summary="Predict, as MLflow's scoring server does",
            description="Predict up to 10,000 rows in any format of MLflow's scoring protocol, or as CSV with a line "
            "of column names.\n\nColumns go by name and others are ignored. MLflow's rules apply rather than the "
            "feature schema's: no bounds are checked, and numbers may be given as strings. A missing value is refused "
            "where the schema has none. `GET /ping` and `GET /version` answer as MLflow's server does.",
            reads=self.reads,
            writes=self.writes,
            answered="The predictions, in the order of the rows.",
            limit=MAX_BATCH_BODY_BYTES,
            refused=self.predictions.reader.refused(),
            tag="MLflow and SageMaker",
            content=self._content(schema.example),
            responses={
                400: response(
                    "The body cannot be read.",
                    "application/json",
                    reference(InvocationError),
                    {"error_code": INVALID, "message": f"Model is missing inputs {list(schema.names[:1])}."},
                ),
                415: response(
                    "The body is neither JSON nor CSV in UTF-8.",
                    "text/plain",
                    {"type": "string"},
                    "Content-Type 'text/plain' is not supported; send application/json or text/csv.",
                ),
            },
        )

    def _content(self, example: dict[str, Any]) -> dict[str, Any]:
        split = {"columns": list(example), "data": [list(example.values())]}
        examples = {
            "dataframe_split": split,
            "dataframe_records": [example],
            "instances": [example],
            "inputs": {name: [value] for name, value in example.items()},
        }
        lines = io.StringIO()
        csv.writer(lines, lineterminator="\n").writerows([example.keys(), example.values()])
        return {
            "application/json": {
                "schema": {"allOf": [reference(self.reads)], "oneOf": [{"required": [name]} for name in FORMATS]},
                "examples": {name: {"value": {name: value}} for name, value in examples.items()},
            },
            "text/csv": {"schema": {"type": "string"}, "examples": {"csv": {"value": lines.getvalue()}}},
        }


def _invocation(schema: Schema) -> type[msgspec.Struct]:
    example = schema.example
    kinds = {feature.kind for feature in schema.features}
    value: Any = float
    if "category" in kinds or "boolean" in kinds:
        value = float | bool | str
    if any(feature.missing for feature in schema.features):
        value = value | None
    rows = GenericAlias(list, (GenericAlias(dict, (str, value)),))
    lists = GenericAlias(list, (GenericAlias(list, (value,)),))
    features = f"The {in_words(len(schema.features))} features, in any order."
    split = msgspec.defstruct(
        "Split",
        [
            ("columns", described(list[str], description=features, examples=[list(example)])),
            ("data", described(lists, description="Rows, in that order.", examples=[[list(example.values())]])),
            ("index", described(list[int | str] | None, description="Not used.", examples=[[0]]), None),
        ],
        namespace={"__doc__": 'A data frame as pandas writes it with `orient="split"`.'},
    )
    columns = GenericAlias(dict, (str, value | GenericAlias(list, (value,))))
    return msgspec.defstruct(
        "Invocation",
        [
            ("dataframe_split", split | None, None),
            ("dataframe_records", described(rows, description="One object a row.", examples=[[example]]), []),
            ("instances", described(rows, description="As TensorFlow Serving's rows.", examples=[[example]]), []),
            (
                "inputs",
                described(
                    columns | rows,
                    description="As TensorFlow Serving's columns.",
                    examples=[{name: [example[name]] for name in example}],
                ),
                [],
            ),
        ],
        namespace={"__doc__": "Exactly one of the four formats of MLflow's scoring protocol."},
        omit_defaults=True,
    )


def _invocation_predictions(schema: Schema) -> type[msgspec.Struct]:
    target = schema.target
    description = {
        "number": f"In {target.measure}." if target.unit else "In the order of the rows.",
        "boolean": "The probability of yes, or the class's number, as MLflow answers for this model.",
        "category": "The probability of each class, or the class's number, as MLflow answers for this model.",
    }[target.kind]
    kind: Any = GenericAlias(list, (float | list[float] if target.kind == "category" else float,))
    return msgspec.defstruct(
        "InvocationPredictions",
        [("predictions", described(kind, description=description, examples=[[1.0]]))],
        namespace={"__doc__": "The predictions, in the order of the rows."},
    )
