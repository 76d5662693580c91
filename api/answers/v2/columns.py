"""A request's tensors as columns: one tensor for each feature, or one of shape [rows, features]."""

from typing import Any

from msgspec import UNSET

from api.answers.v2 import binary
from api.answers.v2.messages import Tensor
from api.rows.faults import MAX_BATCH_ROWS
from api.rows.frames import FrameError


def columns(tensors: list[Tensor], values: bytes, names: tuple[str, ...]) -> dict[str, list[Any]]:
    """Columns of equal length by the features' names, from tensors and the values that follow them in binary.

    Raises:
        FrameError: the tensors do not fit each other, the features or their own shapes.
    """
    for tensor in tensors:
        if tensor.count > MAX_BATCH_ROWS * len(names) or min(tensor.shape, default=0) < 0:
            raise FrameError(f"The tensor {tensor.name!r} of shape {tensor.shape} has more than {MAX_BATCH_ROWS} rows.")
    binary.read(tensors, values)
    if len(tensors) == 1 and len(names) > 1 and tensors[0].name not in names:
        return _split(tensors[0], names)
    found: dict[str, list[Any]] = {}
    for tensor in tensors:
        if tensor.name not in names:
            raise FrameError(f"The model has no feature {tensor.name!r}; its features are {list(names[:20])}.")
        if tensor.name in found:
            raise FrameError(f"There are two tensors named {tensor.name!r}.")
        found[tensor.name] = _flat(tensor, 1)
    if len({len(column) for column in found.values()}) > 1:
        raise FrameError("The tensors have different numbers of rows.")
    return found


def _split(tensor: Tensor, names: tuple[str, ...]) -> dict[str, list[Any]]:
    if len(tensor.shape) != 2 or tensor.shape[1] != len(names):
        raise FrameError(
            f"The tensor {tensor.name!r} has the shape {tensor.shape}; send [rows, {len(names)}], or one tensor "
            "for each feature."
        )
    if tensor.datatype not in binary.DTYPES and tensor.datatype != "BYTES":
        raise FrameError(f"The tensor {tensor.name!r} has the datatype {tensor.datatype[:16]!r}, which is not known.")
    values = _flat(tensor, len(names))
    return {name: values[i :: len(names)] for i, name in enumerate(names)}


def _flat(tensor: Tensor, width: int) -> list[Any]:
    """The tensor's values in a flat list, checked against its shape of rows by `width`."""
    if tensor.data is UNSET:
        raise FrameError(f"The tensor {tensor.name!r} has neither data nor, in its parameters, a binary_data_size.")
    values = tensor.data
    while values and all(isinstance(value, list) for value in values):
        values = [inner for value in values for inner in value]
    if any(isinstance(value, list | dict) for value in values):
        raise FrameError(f"The data of the tensor {tensor.name!r} is nested unevenly.")
    if not tensor.shape or len(values) != tensor.count or len(values) != tensor.shape[0] * width:
        raise FrameError(f"The tensor {tensor.name!r} has {len(values)} values; its shape is {tensor.shape}.")
    return values
