"""The protocol's requests and answers."""

import math
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType


class Tensor(msgspec.Struct, omit_defaults=True):
    """Values of one name."""

    name: Annotated[str, Meta(description="Of the feature, or of the output.", examples=["predict"])]
    shape: Annotated[list[int], Meta(description="Rows first.", examples=[[1]])]
    datatype: Annotated[str, Meta(description="Of each value.", examples=["FP64"])]
    data: Annotated[
        list[Any] | UnsetType,
        Meta(description="Row by row, nested or flat; left out where it follows in binary.", examples=[[1.5]]),
    ] = UNSET
    parameters: Annotated[
        dict[str, Any] | None,
        Meta(description="`binary_data_size`, the bytes of data that follow in binary.", examples=[{}]),
    ] = None

    @property
    def count(self) -> int:
        """The number of values, as its shape says."""
        return math.prod(self.shape)

    @property
    def binary_bytes(self) -> int | None:
        """How many bytes of data follow in binary; None where the data stands here."""
        size = (self.parameters or {}).get("binary_data_size")
        return size if type(size) is int else None


class RequestedOutput(msgspec.Struct):
    """An output that the caller wants."""

    name: Annotated[str, Meta(description="`predict`, or of classes `predict_proba`.", examples=["predict"])]
    parameters: Annotated[
        dict[str, Any] | None, Meta(description="`binary_data`, whether it is wanted in binary.", examples=[{}])
    ] = None


class InferenceRequest(msgspec.Struct):
    """Rows, as tensors."""

    inputs: Annotated[list[Tensor], Meta(description="One for each feature, or one for all.")]
    id: Annotated[str | None, Meta(description="Comes back in the answer.", examples=["1"])] = None
    outputs: Annotated[
        list[RequestedOutput] | None, Meta(description="Which outputs to answer with; all if none is named.")
    ] = None
    parameters: Annotated[
        dict[str, Any] | None,
        Meta(description="`binary_data_output`, whether all outputs are wanted in binary.", examples=[{}]),
    ] = None

    def in_binary(self, output: str) -> bool:
        """Whether an output is wanted in binary."""
        for requested in self.outputs or ():
            if requested.name == output and requested.parameters and "binary_data" in requested.parameters:
                return requested.parameters["binary_data"] is True
        return (self.parameters or {}).get("binary_data_output") is True


class InferenceResponse(msgspec.Struct, omit_defaults=True):
    """Predictions, as tensors."""

    model_name: Annotated[str, Meta(description="The registered model.", examples=["my-model"])]
    model_version: Annotated[str, Meta(description="Its version.", examples=["1"])]
    outputs: Annotated[list[Tensor], Meta(description="In the order of the rows.")]
    id: Annotated[str | None, Meta(description="As in the request.", examples=["1"])] = None


WRONG = "There is no tensor named 'area'."


class InferenceError(msgspec.Struct):
    """Why a request was refused."""

    error: Annotated[str, Meta(description="What is wrong.", examples=[WRONG])]
