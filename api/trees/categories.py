"""Categories in a model file: the names of a feature's, and the sets that splits send right."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import UNSET, UnsetType

from api.errors import ModelRefused
from api.trees import fields

Names = list[str] | list[int]

LARGEST_CODE = 2**24 - 1
"""XGBoost keeps codes as float32, which counts no further."""

WHOLE_NUMBERS = {
    9: np.int8,
    10: np.uint8,
    11: np.int16,
    12: np.uint16,
    13: np.int32,
    14: np.uint32,
    15: np.int64,
    16: np.uint64,
}
"""XGBoost's numbers of the types of categories that are whole numbers."""

TEXTS_IN_BYTES = (3, 4)
"""The release since which the places of pandas' texts among the joined names count bytes; before, letters."""


@dataclass(frozen=True)
class Sets:
    """The splits on categories: split `i`, at `nodes[i]`, sends `codes[starts[i] : starts[i + 1]]` right."""

    nodes: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int64]


def joined(trees: list[fields.Tree], roots: npt.NDArray[np.int64]) -> Sets:
    """The sets of all trees, `roots` being where each tree's nodes begin.

    Raises:
        ModelRefused: the fields that describe them do not agree.
    """

    def every(field: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        columns = [getattr(tree, field) for tree in trees]
        return np.concatenate(columns).astype(np.int64), np.fromiter(map(len, columns), np.int64, len(columns))

    (nodes, splits), (begins, begun), (sizes, sized) = (
        every(f"categories_{field}") for field in ("nodes", "segments", "sizes")
    )
    codes, counts = every("categories")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    nodes = nodes + np.repeat(roots, splits)
    # Each tree counts from its own first code.
    begins = begins + np.repeat(np.cumsum(counts) - counts, begun)
    if not (
        np.array_equal(splits, begun)
        and np.array_equal(splits, sized)
        and np.array_equal(begins, starts[:-1])
        and np.array_equal(starts[np.cumsum(splits)], np.cumsum(counts))
        and np.array_equal(nodes, np.flatnonzero(every("split_type")[0]))
    ):
        raise ModelRefused("the model file is damaged: the categories of its splits do not add up")
    if not ((sizes > 0).all() and ((codes >= 0) & (codes <= LARGEST_CODE)).all()):
        raise ModelRefused("the model file is damaged: a split has impossible categories")
    return Sets(nodes, starts, codes)


def names(model: fields.Model, n_features: int, version: tuple[int, int, int]) -> list[Names | None]:
    """Each feature's categories in the order of their codes; None for a number, or where the file does not say.

    Raises:
        ModelRefused: they cannot be read.
    """
    if model.cats is UNSET or not model.cats.enc:
        return [None] * n_features
    found = [_decode(encoding, version) for encoding in model.cats.enc]
    segments = [0, *itertools.accumulate(count for count, _ in found)]
    if len(found) != n_features or model.cats.feature_segments.tolist() != (segments if segments[-1] else []):
        raise ModelRefused("the model file is damaged: the categories of its features do not add up")
    return [names for _, names in found]


def _decode(encoding: fields.Encoding, version: tuple[int, int, int]) -> tuple[int, Names | None]:
    """How many categories a feature has, and which."""
    values = np.asarray(encoding.values)
    values = values if values.size else np.zeros(0, np.int8)
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise ModelRefused("the model file is damaged: its categories are no whole numbers")
    if encoding.offsets is UNSET:
        return len(values), _whole_numbers(values, encoding.type)
    text, places = values.astype(np.int8).tobytes(), encoding.offsets.tolist()
    if not places and not text:
        return 0, None
    if places[:1] != [0] or places[-1] != len(text) or places != sorted(places):
        raise ModelRefused("the model file is damaged: the names of its categories do not add up")
    if version[:2] < TEXTS_IN_BYTES and not text.isascii():
        return len(places) - 1, None
    try:
        return len(places) - 1, [text[start:end].decode() for start, end in itertools.pairwise(places)]
    except UnicodeDecodeError as error:
        raise ModelRefused("the model file is damaged: a category's name is not UTF-8") from error


def _whole_numbers(values: npt.NDArray[Any], kind: int | UnsetType) -> list[int]:
    if kind is UNSET or kind not in WHOLE_NUMBERS:
        raise ModelRefused("the model file is damaged: its categories are of a type that XGBoost does not write")
    numbers = values.astype(WHOLE_NUMBERS[kind])
    # UBJSON has no unsigned types but bytes: XGBoost writes the same bits as signed ones.
    if numbers.itemsize != values.itemsize and (numbers != values).any():
        raise ModelRefused("the model file is damaged: its categories do not fit their type")
    whole: list[int] = numbers.tolist()
    return whole
