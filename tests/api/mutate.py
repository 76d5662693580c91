"""Damages model files at random, and holds what the reader lets through against a walk that shares nothing with lignum.

    python -m tests.api.mutate FIRST LAST

says how many of these files were read and how many refused. A crash of the C++ library ends the process, hence one of
its own; a number that differs ends it too.
"""

import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from api.errors import ModelRefused
from api.trees import xgboost_file
from api.trees.lignum.scoring import FEW_ROWS
from api.trees.walk import Trees

FILES = [
    Path(__file__).with_name("models") / file
    for file in ("3.4.1/plain.ubj", "3.4.1/everything.ubj", "3.3.0/everything.ubj", "2.1.4/pruned.ubj")
]
WALKED = b"split_conditions|split_indices|default_left|split_type|left_children|categories[a-z_]*|tree_info"
ARRAY = re.compile(rb"(?:" + WALKED + rb")\[\$(.)#L(.{8})", re.DOTALL)
BYTES = {b"U": 1, b"d": 4, b"l": 4, b"L": 8}
EXTREMES = (b"\0" * 8, b"\xff" * 8, b"\x7f\xff\xff\xff" * 2, b"\x7f\x80\0\0" * 2, b"\x80\0\0\0" * 2, b"\0\0\0\1" * 2)


def mutated(raw: bytes, random: np.random.Generator) -> bytes:
    """The file with up to three changes: anywhere, or in a number that a walk reads; a byte, or a number's extreme."""
    damaged = bytearray(raw)
    arrays = list(ARRAY.finditer(raw))
    for _ in range(random.integers(1, 4)):
        place, size = int(random.integers(len(raw))), 1
        if random.random() < 0.8:
            array = arrays[random.integers(len(arrays))]
            size = BYTES[array[1]]
            place = array.end() + size * int(random.integers(max(1, int.from_bytes(array[2]))))
        if random.random() < 0.5:
            damaged[place : place + size] = EXTREMES[random.integers(len(EXTREMES))][:size]
        else:
            place += int(random.integers(size))
            damaged[place : place + 1] = bytes([random.integers(256)])
    return bytes(damaged)


def outcome(number: int) -> str:
    """What became of this file."""
    random = np.random.default_rng(number)
    file = FILES[number % len(FILES)]
    try:
        trees = Trees.of(xgboost_file.read(file.name, mutated(file.read_bytes(), random)))
    except ModelRefused as refused:
        if "lignum" in str(refused) or "laid out" in str(refused):
            raise
        return "refused"
    rows = np.load(file.with_suffix(".npz"))["rows"]
    with np.errstate(over="ignore", invalid="ignore"):
        expected = trees.margins_by_numpy(rows)
        np.testing.assert_array_equal(trees.margins(rows), expected)
        many = 1 + FEW_ROWS // len(rows)
        np.testing.assert_array_equal(trees.margins(np.tile(rows, (many, 1))), np.concatenate([expected] * many))
    return "read"


def main(first: int, last: int) -> None:
    """Try the files of these numbers."""
    found: Counter[str] = Counter()
    for number in range(first, last):
        try:
            found[outcome(number)] += 1
        except BaseException:
            print(f"file {number}", file=sys.stderr)
            raise
    print(f"{found['read']} read, {found['refused']} refused")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
