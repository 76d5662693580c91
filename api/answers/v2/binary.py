"""Tensors whose values follow the JSON as bytes: Triton's extension, which its clients use unless told otherwise.

Row by row, little-endian; a text is its length in four bytes and then UTF-8.
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

import struct
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET

from api.answers.v2.messages import InferenceResponse, Tensor
from api.http.messages import Header, Reply
from api.rows.frames import FrameError

EXTENSION = "binary_tensor_data"
HEADER = b"inference-header-content-length"
"""How many bytes of a body are JSON; the others are the tensors' values, in the tensors' order."""

OCTETS = b"application/octet-stream"

DTYPES = {
    "BOOL": "?",
    **{f"INT{8 * size}": f"<i{size}" for size in (1, 2, 4, 8)},
    **{f"UINT{8 * size}": f"<u{size}" for size in (1, 2, 4, 8)},
    **{f"FP{8 * size}": f"<f{size}" for size in (2, 4, 8)},
}
"""Numbers, as numpy calls them."""

_LENGTH = struct.Struct("<I")


def parts(headers: Iterable[Header], body: bytes) -> tuple[bytes, bytes]:
    """The JSON of a body, and the values that follow it.

    Raises:
        FrameError: the header does not fit the body.
    """
    for name, value in headers:
        if name == HEADER:
            said = value[:20].decode("latin-1")
            if not (said.isascii() and said.isdigit() and int(said) <= len(body)):
                raise FrameError(f"{HEADER.decode()} is {said!r}; the body has {len(body)} bytes.")
            return body[: int(said)], body[int(said) :]
    return body, b""


def read(tensors: list[Tensor], values: bytes) -> None:
    """Give tensors the data that followed in binary; NaN is a missing value.

    Raises:
        FrameError: the bytes do not fit the tensors.
    """
    place = 0
    for tensor in tensors:
        size = tensor.binary_bytes
        if size is None:
            continue
        if tensor.data is not UNSET or not 0 <= size <= len(values) - place:
            raise FrameError(f"The tensor {tensor.name!r} has a binary_data_size of {size}: it does not fit the body.")
        tensor.data = _decode(tensor, values[place : place + size])
        place += size
    if place != len(values):
        raise FrameError(f"{len(values) - place} bytes follow that belong to no tensor.")


def _decode(tensor: Tensor, values: bytes) -> list[Any]:
    if tensor.datatype == "BYTES":
        return _texts(tensor, values)
    if tensor.datatype not in DTYPES:
        raise FrameError(f"The tensor {tensor.name!r} has the datatype {tensor.datatype[:16]!r}, which is not known.")
    dtype = np.dtype(DTYPES[tensor.datatype])
    if len(values) != tensor.count * dtype.itemsize:
        raise FrameError(
            f"The tensor {tensor.name!r} has {len(values)} bytes; its shape {tensor.shape} of {tensor.datatype} needs "
            f"{tensor.count * dtype.itemsize}."
        )
    decoded: list[Any] = np.frombuffer(values, dtype).tolist()
    return decoded


def _texts(tensor: Tensor, values: bytes) -> list[str]:
    texts: list[str] = []
    place = 0
    while place < len(values):
        end = place + _LENGTH.size
        if end > len(values) or (end := end + _LENGTH.unpack_from(values, place)[0]) > len(values):
            raise FrameError(f"The tensor {tensor.name!r} ends within a text.")
        if len(texts) == tensor.count:
            raise FrameError(f"The tensor {tensor.name!r} has more texts than its shape {tensor.shape} says.")
        try:
            texts.append(values[place + _LENGTH.size : end].decode())
        except UnicodeDecodeError as error:
            raise FrameError(f"The tensor {tensor.name!r} holds what is not UTF-8.") from error
        place = end
    return texts


def reply(answer: InferenceResponse, in_binary: Callable[[str], bool]) -> Reply:
    """An answer, with those of its outputs in binary that are wanted so."""
    values = b""
    for tensor in answer.outputs:
        if in_binary(tensor.name):
            encoded = _encode(tensor)
            tensor.data, tensor.parameters = UNSET, {"binary_data_size": len(encoded)}
            values += encoded
    head = msgspec.json.encode(answer)
    if not values:
        return Reply(200, head)
    return Reply(200, head + values, OCTETS, ((HEADER, b"%d" % len(head)),))


def _encode(tensor: Tensor) -> bytes:
    if tensor.datatype != "BYTES":
        return np.array(tensor.data, DTYPES[tensor.datatype]).tobytes()
    texts = [text.encode() for text in tensor.data or ()]
    return b"".join(_LENGTH.pack(len(text)) + text for text in texts)
