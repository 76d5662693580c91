"""The reader of XGBoost's binary format, against XGBoost's own files and against bytes made to hurt it."""

import contextlib
import json
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from api.trees import ubjson
from api.trees.ubjson import UbjsonError


def plain(value: Any) -> Any:
    """Numpy arrays as lists."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


@pytest.fixture(scope="module")
def raw(model_directory: Path) -> bytes:
    return (model_directory / "model.ubj").read_bytes()


@pytest.fixture(scope="module")
def small() -> bytes:
    return Path(__file__).with_name("models").joinpath("3.4.1/plain.ubj").read_bytes()


def test_reads_what_xgboost_wrote(raw: bytes) -> None:
    """The binary file and XGBoost's JSON of the same model say the same."""
    booster = xgboost.Booster(model_file=bytearray(raw))
    same = json.loads(booster.save_raw("json"))
    binary = plain(ubjson.loads(raw))
    for tree, other in zip(
        binary["learner"]["gradient_booster"]["model"]["trees"],
        same["learner"]["gradient_booster"]["model"]["trees"],
        strict=True,
    ):
        for name in ("left_children", "right_children", "split_indices"):
            assert tree[name] == other[name]
        np.testing.assert_array_equal(np.float32(tree["split_conditions"]), np.float32(other["split_conditions"]))
    assert binary["learner"]["learner_model_param"] == same["learner"]["learner_model_param"]
    assert binary["version"] == same["version"]


def size(number: int) -> bytes:
    """A length."""
    return b"L" + struct.pack(">q", number)


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (b"{}", {}),
        (b"{" + size(1) + b"aT}", {"a": True}),
        (b"[ZFi\xffU\xff]", [None, False, -1, 255]),
        (b"[#" + size(2) + b"i\x01i\x02", [1, 2]),
        (b"[$I#" + size(2) + b"\x00\x01\x01\x00", [1, 256]),
        (b"[$U#" + size(0), []),
        (b"S" + size(2) + b"\xc3\xa9", "é"),
        (b"l" + struct.pack(">i", -5), -5),
        (b"L" + struct.pack(">q", 2**40), 2**40),
        (b"d" + struct.pack(">f", 0.5), 0.5),
        (b"D" + struct.pack(">d", 0.1), 0.1),
    ],
)
def test_reads_every_kind(document: bytes, value: Any) -> None:
    """Objects, arrays with and without type and length, texts, and each size of number."""
    assert plain(ubjson.loads(document)) == value


HUGE = size(10 * 2**30)


@pytest.mark.parametrize(
    "document",
    {
        "nothing": b"",
        "an unknown marker": b"?",
        "an end of nothing": b"]",
        "bytes left over": b"{}{}",
        "an object without end": b"{" + size(1) + b"aT",
        "a key that is a list": b"{[T",
        "a text cut short": b"S" + size(9) + b"abc",
        "a text that is not UTF-8": b"S" + size(1) + b"\xff",
        "a length that is text": b"SS" + size(1) + b"a",
        "a length that is a fraction": b"Sd" + struct.pack(">f", 1.5),
        "a negative length": b"S" + size(-1),
        "a length of a byte, which XGBoost does not read": b"SU\x01a",
        "a key that stands twice": b"{" + (size(1) + b"aT") * 2 + b"}",
        "a text of 10 GB": b"S" + HUGE,
        "a typed array of 10 GB": b"[$D#" + HUGE,
        "an array of 10 GB": b"[#" + HUGE,
        "arrays of arrays of 10 GB": b"[#" + HUGE + b"[#" + HUGE,
        "a typed array cut short": b"[$l#" + size(127) + b"\x00",
        "a typed array of no type": b"[$S#" + size(1),
        "a typed array without length": b"[$lT]",
        "a negative array": b"[#" + size(-1),
        "depth without end": b"[" * 100_000,
        "objects in objects": (b"{" + size(1) + b"a") * 100_000,
        "counted depth": (b"[#" + size(1)) * 100_000,
        "a pickle": b"\x80\x04\x95cos\nsystem\n",
    }.items(),
    ids=lambda item: item[0],
)
def test_refuses(document: tuple[str, bytes]) -> None:
    """A damaged or hostile document is refused at the cost of no more memory than it has bytes."""
    tracemalloc.start()
    try:
        with pytest.raises(UbjsonError):
            ubjson.loads(document[1])
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@given(document=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(document: bytes) -> None:
    """No bytes do anything but decode or raise a UbjsonError."""
    with contextlib.suppress(UbjsonError):
        ubjson.loads(document)


@given(place=st.integers(0), junk=st.binary(min_size=1, max_size=4))
def test_damaged_models_are_read_or_refused(small: bytes, place: int, junk: bytes) -> None:
    """A model file with a few bytes changed anywhere decodes or is refused."""
    place %= len(small)
    with contextlib.suppress(UbjsonError):
        ubjson.loads(small[:place] + junk + small[place + len(junk) :])


def test_every_cut_is_noticed(small: bytes) -> None:
    """A file that ends early anywhere is refused."""
    for end in [*range(300), *range(300, len(small), len(small) // 50)]:
        with pytest.raises(UbjsonError):
            ubjson.loads(small[:end])
