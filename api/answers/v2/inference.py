"""The Open Inference Protocol (V2) over HTTP, which clients of KServe, Triton and MLServer speak.

Its rules for a request: one tensor for each feature, or one of shape [rows, features] where all features are numbers.
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from litestar.types import HTTPScope, Receive

from api.answers.endpoint import Endpoint, reference, response
from api.answers.predictions import Predictions
from api.answers.v2 import binary
from api.answers.v2.columns import columns
from api.answers.v2.messages import (
    WRONG,
    InferenceError,
    InferenceRequest,
    InferenceResponse,
    RequestedOutput,
    Tensor,
)
from api.http.messages import Reply
from api.http.problems import UNREADABLE, ProblemError
from api.model.answers import Value
from api.model.classes import class_probabilities, most_probable
from api.rows.faults import MAX_BATCH_BODY_BYTES
from api.rows.frames import FrameError, FrameReader

DATATYPES = {"number": "FP64", "integer": "INT64", "boolean": "BOOL", "category": "BYTES"}
"""Of a feature's tensor, by its kind; any type of number is taken for a number."""

_request = msgspec.json.Decoder(InferenceRequest)


class Inference:
    """Answers with the predictions' own model and limits."""

    def __init__(self, predictions: Predictions) -> None:
        self.predictions = predictions
        self.schema = predictions.model.schema
        self.names = self.schema.names
        self.frames = FrameReader(predictions.reader.fields, predictions.reader.unknown)
        self.answered = {tensor.name for tensor in self._outputs([])}

    async def infer(self, scope: HTTPScope, receive: Receive) -> Reply:
        """`POST /v2/models/{name}/infer`: up to 10,000 rows."""
        try:
            body = await self.predictions.receiver.read(scope, receive, MAX_BATCH_BODY_BYTES)
            head, values = binary.parts(scope["headers"], body)
            request = _request.decode(head)
            rows = self.frames.rows(columns(request.inputs, values, self.names))
            wanted = self._wanted(request.outputs)
        except ProblemError as problem:
            return _refuse(problem.status, problem.detail)
        except (FrameError, *UNREADABLE) as error:
            return _refuse(400, str(error))
        answers = await self.predictions.batcher.predict_many(rows)
        self.predictions.keep_many(scope["state"]["request_id"], rows, answers)
        outputs = [tensor for tensor in self._outputs(answers.predicted.tolist()) if tensor.name in wanted]
        answer = InferenceResponse(self.schema.name, self.predictions.model.version, outputs, request.id)
        return binary.reply(answer, request.in_binary)

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

    def _wanted(self, outputs: list[RequestedOutput] | None) -> set[str]:
        wanted = {output.name for output in outputs or ()} or self.answered
        if unknown := wanted - self.answered:
            raise FrameError(f"The model has no output {min(unknown)!r}; it has {sorted(self.answered)}.")
        return wanted

    def _outputs(self, values: list[Value]) -> Iterator[Tensor]:
        if self.schema.target.kind == "number":
            yield Tensor("predict", [len(values), 1], "FP32", values)
            return
        classes = self.schema.target.classes
        probabilities = [class_probabilities(value) for value in values]
        labels = [classes[most_probable(each)] for each in probabilities]
        yield Tensor("predict", [len(values), 1], "BYTES", labels)
        flat = [probability for each in probabilities for probability in each]
        yield Tensor("predict_proba", [len(values), len(classes)], "FP32", flat)

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
                "As for `/invocations`, no bounds are checked. Values may follow the JSON in binary, as "
                "Triton's extension `binary_tensor_data` says; NaN is a missing value then.",
                reads=InferenceRequest,
                writes=InferenceResponse,
                answered="The predictions, in the order of the rows.",
                limit=MAX_BATCH_BODY_BYTES,
                refused=self.predictions.reader.refused(),
                tag="Open Inference Protocol",
                responses={
                    status: response(text, "application/json", reference(InferenceError), {"error": WRONG})
                    for status, text in (
                        (400, "The body does not fit the model."),
                        (413, f"The body is larger than {MAX_BATCH_BODY_BYTES:,} bytes."),
                        (415, "The body is compressed."),
                    )
                },
            )
            for path, operation_id in ((model, "infer"), (versioned, "infer_version"))
        )


def _refuse(status: int, message: str) -> Reply:
    return Reply(status, msgspec.json.encode(InferenceError(message)))
