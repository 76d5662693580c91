"""The Open Inference Protocol (V2) over HTTP, which clients of KServe, Triton and MLServer speak.

Its rules for a request: one tensor for each feature, or one of shape [rows, features] where all features are numbers.
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from litestar.types import HTTPScope, Receive
from msgspec import Meta

from api.answers.endpoint import Endpoint, reference, response
from api.answers.faults import MAX_BATCH_ROWS
from api.answers.frames import FrameError, FrameReader
from api.answers.predictions import MAX_BATCH_BODY_BYTES, Predictions
from api.http.messages import Reply
from api.http.problems import UNREADABLE, ProblemError
from api.model.batching import Answer
from api.model.classes import class_probabilities, most_probable

DATATYPES = {"number": "FP64", "integer": "INT64", "boolean": "BOOL", "category": "BYTES"}
"""Of a feature's tensor, by its kind; any type of number is taken for a number."""

_NUMBERS = {"BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"}


class Tensor(msgspec.Struct, omit_defaults=True):
    """Values of one name."""

    name: Annotated[str, Meta(description="Of the feature, or of the output.", examples=["predict"])]
    shape: Annotated[list[int], Meta(description="Rows first.", examples=[[1]])]
    datatype: Annotated[str, Meta(description="Of each value.", examples=["FP64"])]
    data: Annotated[list[Any], Meta(description="Row by row, nested or flat.", examples=[[1.5]])]
    parameters: Annotated[dict[str, Any] | None, Meta(description="Not used.", examples=[{}])] = None


class RequestedOutput(msgspec.Struct):
    """An output that the caller wants."""

    name: Annotated[str, Meta(description="`predict`, or of classes `predict_proba`.", examples=["predict"])]
    parameters: Annotated[dict[str, Any] | None, Meta(description="Not used.", examples=[{}])] = None


class InferenceRequest(msgspec.Struct):
    """Rows, as tensors."""

    inputs: Annotated[list[Tensor], Meta(description="One for each feature, or one for all.")]
    id: Annotated[str | None, Meta(description="Comes back in the answer.", examples=["1"])] = None
    outputs: Annotated[
        list[RequestedOutput] | None, Meta(description="Which outputs to answer with; all if none is named.")
    ] = None
    parameters: Annotated[dict[str, Any] | None, Meta(description="Not used.", examples=[{}])] = None


class InferenceResponse(msgspec.Struct, omit_defaults=True):
    """Predictions, as tensors."""

    model_name: Annotated[str, Meta(description="The registered model.", examples=["my-model"])]
    model_version: Annotated[str, Meta(description="Its version.", examples=["1"])]
    outputs: Annotated[list[Tensor], Meta(description="In the order of the rows.")]
    id: Annotated[str | None, Meta(description="As in the request.", examples=["1"])] = None


_WRONG = "There is no tensor named 'area'."


class InferenceError(msgspec.Struct):
    """Why a request was refused."""

    error: Annotated[str, Meta(description="What is wrong.", examples=[_WRONG])]


_request = msgspec.json.Decoder(InferenceRequest)


class Inference:
    """Answers with the predictions' own model and limits."""

    def __init__(self, predictions: Predictions) -> None:
        self.predictions = predictions
        self.schema = predictions.model.schema
        self.names = self.schema.names
        self.frames = FrameReader(predictions.reader.fields)
        self.answered = {tensor.name for tensor in self._outputs([])}

    async def infer(self, scope: HTTPScope, receive: Receive) -> Reply:
        """`POST /v2/models/{name}/infer`: up to 10,000 rows."""
        try:
            body = await self.predictions.receiver.read(scope, receive, MAX_BATCH_BODY_BYTES)
            request = _request.decode(body)
            rows = self.frames.rows(self._columns(request.inputs))
            wanted = self._wanted(request.outputs)
        except ProblemError as problem:
            return _refuse(problem.status, problem.detail)
        except (FrameError, *UNREADABLE) as error:
            return _refuse(400, str(error))
        answers = await self.predictions.batcher.predict_many(rows)
        outputs = [tensor for tensor in self._outputs(answers) if tensor.name in wanted]
        return Reply(
            200,
            msgspec.json.encode(
                InferenceResponse(self.schema.name, self.predictions.model.version, outputs, request.id)
            ),
        )

    def inputs(self) -> list[dict[str, Any]]:
        """The tensors that a request has, as the model's metadata lists them."""
        return [
            {"name": feature.name, "datatype": DATATYPES[feature.kind], "shape": [-1]}
            for feature in self.schema.features
        ]

    def outputs(self) -> list[dict[str, Any]]:
        """The tensors that an answer has, as the model's metadata lists them."""
        return [
            {"name": tensor.name, "datatype": tensor.datatype, "shape": [-1, *tensor.shape[1:]]}
            for tensor in self._outputs([])
        ]

    def _columns(self, tensors: list[Tensor]) -> dict[str, list[Any]]:
        names = self.names
        for tensor in tensors:
            if math.prod(tensor.shape) > MAX_BATCH_ROWS * len(names) or min(tensor.shape, default=0) < 0:
                raise FrameError(
                    f"The tensor {tensor.name!r} of shape {tensor.shape} has more than {MAX_BATCH_ROWS} rows."
                )
        if len(tensors) == 1 and len(names) > 1 and tensors[0].name not in self.frames.fields:
            return self._split(tensors[0])
        columns = {}
        for tensor in tensors:
            if tensor.name not in self.frames.fields:
                raise FrameError(f"The model has no feature {tensor.name!r}; its features are {list(names[:20])}.")
            if tensor.name in columns:
                raise FrameError(f"There are two tensors named {tensor.name!r}.")
            columns[tensor.name] = _flat(tensor, 1)
        if len({len(column) for column in columns.values()}) > 1:
            raise FrameError("The tensors have different numbers of rows.")
        return columns

    def _split(self, tensor: Tensor) -> dict[str, list[Any]]:
        names = self.names
        if len(tensor.shape) != 2 or tensor.shape[1] != len(names):
            raise FrameError(
                f"The tensor {tensor.name!r} has the shape {tensor.shape}; send [rows, {len(names)}], or one tensor "
                "for each feature."
            )
        if tensor.datatype not in _NUMBERS and tensor.datatype != "BYTES":
            raise FrameError(
                f"The tensor {tensor.name!r} has the datatype {tensor.datatype[:16]!r}, which is not known."
            )
        values = _flat(tensor, len(names))
        return {name: values[i :: len(names)] for i, name in enumerate(names)}

    def _wanted(self, outputs: list[RequestedOutput] | None) -> set[str]:
        wanted = {output.name for output in outputs or ()} or self.answered
        if unknown := wanted - self.answered:
            raise FrameError(f"The model has no output {min(unknown)!r}; it has {sorted(self.answered)}.")
        return wanted

    def _outputs(self, answers: list[Answer]) -> Iterator[Tensor]:
        if self.schema.target.kind == "number":
            yield Tensor("predict", [len(answers), 1], "FP32", [answer.value for answer in answers])
            return
        classes = self.schema.target.classes
        probabilities = [class_probabilities(answer.value) for answer in answers]
        labels = [classes[most_probable(each)] for each in probabilities]
        yield Tensor("predict", [len(answers), 1], "BYTES", labels)
        flat = [probability for each in probabilities for probability in each]
        yield Tensor("predict_proba", [len(answers), len(classes)], "FP32", flat)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """One path with the model's version in it and one without, with what the documents say of them."""
        model = f"/v2/models/{self.schema.name}"
        versioned = f"{model}/versions/{self.predictions.model.version}"
        return tuple(
            Endpoint(
                path=f"{path}/infer",
                answer=self.infer,
                operation_id=operation_id,
                summary="Predict, as the Open Inference Protocol says",
                description="Predict up to 10,000 rows, given as one tensor for each feature or as one of shape [rows, "
                "features]. A number is answered as `predict`; classes as `predict` (the label) and `predict_proba`. "
                "As for `/invocations`, no bounds are checked.",
                reads=InferenceRequest,
                writes=InferenceResponse,
                answered="The predictions, in the order of the rows.",
                limit=MAX_BATCH_BODY_BYTES,
                refused=self.predictions.reader.refused(),
                tag="Open Inference Protocol",
                responses={
                    status: response(text, "application/json", reference(InferenceError), {"error": _WRONG})
                    for status, text in (
                        (400, "The body does not fit the model."),
                        (413, f"The body is larger than {MAX_BATCH_BODY_BYTES:,} bytes."),
                        (415, "The body is compressed."),
                    )
                },
            )
            for path, operation_id in ((model, "infer"), (versioned, "infer_version"))
        )


def _flat(tensor: Tensor, width: int) -> list[Any]:
    """The tensor's values in a flat list, checked against its shape of rows by `width`."""
    values = tensor.data
    while values and all(isinstance(value, list) for value in values):
        values = [inner for value in values for inner in value]
    if any(isinstance(value, list | dict) for value in values):
        raise FrameError(f"The data of the tensor {tensor.name!r} is nested unevenly.")
    if not tensor.shape or len(values) != math.prod(tensor.shape) or len(values) != tensor.shape[0] * width:
        raise FrameError(f"The tensor {tensor.name!r} has {len(values)} values; its shape is {tensor.shape}.")
    return values


def _refuse(status: int, message: str) -> Reply:
    return Reply(status, msgspec.json.encode(InferenceError(message)))
