"""Reads UBJSON, the binary JSON that XGBoost saves models in (https://ubjson.org, draft 12).

Only what XGBoost reads is understood: lengths of 64 bits, typed arrays, which become numpy arrays, and everything else
as plain Python. Nothing in a file can make the reader run code, allocate more than the file's own size, or recurse
without end.
"""

import struct
from typing import Any

import numpy as np

_MAX_DEPTH = 32
_SCALARS = {
    marker: struct.Struct(kind)
    for marker, kind in {"i": ">b", "U": ">B", "I": ">h", "l": ">i", "L": ">q", "d": ">f", "D": ">d"}.items()
}
_CONSTANTS = {"T": True, "F": False, "Z": None}


class UbjsonError(ValueError):
    """The bytes are not UBJSON as XGBoost writes it."""


def loads(raw: bytes) -> Any:
    """Decode one document.

    Raises:
        UbjsonError: it is cut short, has bytes left over, nests too deeply, names a key twice, or holds an unknown
            marker.
    """
    reader = _Reader(raw)
    value = reader.value(reader.marker(), depth=0)
    if reader.position != len(raw):
        raise UbjsonError(f"{len(raw) - reader.position} bytes follow the document")
    return value


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.position = 0

    def take(self, size: int) -> bytes:
        start, self.position = self.position, self.position + size
        if size < 0 or self.position > len(self.raw):
            raise UbjsonError(f"the file ends at byte {len(self.raw)}, inside a value that starts at byte {start}")
        return self.raw[start : self.position]

    def marker(self) -> str:
        return chr(self.take(1)[0])

    def peek(self) -> str:
        return chr(self.raw[self.position]) if self.position < len(self.raw) else ""

    def scalar(self, marker: str) -> Any:
        if (scalar := _SCALARS.get(marker)) is None:
            raise UbjsonError(f"unknown marker {marker!r} at byte {self.position - 1}")
        return scalar.unpack(self.take(scalar.size))[0]

    def size(self) -> int:
        if (marker := self.marker()) != "L":
            raise UbjsonError(
                f"a length at byte {self.position - 1} has the type {marker!r}, which XGBoost does not read"
            )
        size: int = self.scalar(marker)
        return size

    def string(self) -> str:
        try:
            return self.take(self.size()).decode()
        except UnicodeDecodeError as error:
            raise UbjsonError(f"a string before byte {self.position} is not UTF-8") from error

    def value(self, marker: str, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise UbjsonError(f"nested more than {_MAX_DEPTH} levels deep")
        if marker == "{":
            return self.object(depth)
        if marker == "[":
            return self.array(depth)
        if marker == "S":
            return self.string()
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        return self.scalar(marker)

    def object(self, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while self.peek() != "}":
            key = self.string()
            if key in result:
                raise UbjsonError(f"the key {key[:100]!r} stands twice in one object, before byte {self.position}")
            result[key] = self.value(self.marker(), depth + 1)
        self.position += 1
        return result

    def array(self, depth: int) -> Any:
        scalar = None
        if self.peek() == "$":
            self.position += 1
            scalar = _SCALARS.get(self.marker())
            if scalar is None or self.peek() != "#":
                raise UbjsonError(f"a typed array at byte {self.position} names no number type or no length")
        if self.peek() == "#":
            self.position += 1
            size = self.size()
            if scalar is not None:
                return np.frombuffer(self.take(size * scalar.size), scalar.format)
            return [self.value(self.marker(), depth + 1) for _ in range(self.bounded(size))]
        items = []
        while self.peek() != "]":
            items.append(self.value(self.marker(), depth + 1))
        self.position += 1
        return items

    def bounded(self, size: int) -> int:
        if not 0 <= size <= len(self.raw) - self.position:
            raise UbjsonError(f"an array of {size} values at byte {self.position} is longer than the file")
        return size
