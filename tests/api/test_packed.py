"""Rows of floats as an array: every number at its place, whatever it is and whatever the features are called."""

import msgspec
import numpy as np
import pytest

from api.rows.packed import ROWS_AT_ONCE, PackedRows

ODD = [0.0, -0.0, 1.0, -1.5, 5e-324, 1.7976931348623157e308, -3.4028234663852886e38, 0.1]


@pytest.mark.parametrize("count", [1, 2, 15, 16, ROWS_AT_ONCE, 2 * ROWS_AT_ONCE + 1])
@pytest.mark.parametrize(
    "names",
    [
        ["a"],
        ["x" * 31, "y" * 32],
        ["é" * 200, "z" * 65_536],
        [f"n{i}" for i in range(15)],
        [f"n{i}" for i in range(16)],
    ],
    ids=["one", "short", "long", "fifteen", "sixteen"],
)
def test_every_number_is_at_its_place(names: list[str], count: int) -> None:
    """To the bit, on both sides of every length at which MessagePack writes the head of a text or of a map anew."""
    fields = [(f"f{i}", float) for i in range(len(names))]
    row = msgspec.defstruct("Row", fields, rename=dict(zip((name for name, _ in fields), names, strict=True)))
    numbers = np.resize(ODD, (count, len(names)))
    table = PackedRows(names).table([row(*values) for values in numbers.tolist()])
    assert table.tobytes() == numbers.tobytes()
