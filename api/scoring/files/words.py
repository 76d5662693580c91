"""How files write what JSON has values of its own for: yes and no, a missing value, a number."""

import re
from typing import Any

import numpy as np

YES = {"1", "1.0", "1,0", "true", "yes", "t", "y"}
NO = {"0", "0.0", "0,0", "false", "no", "f", "n"}

MISSING = (
    "", " ", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
"""Of a CSV's cells, as pandas reads them."""

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)


def written(value: Any) -> str:
    """A value as the text of a category: a whole number without a fraction."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()
