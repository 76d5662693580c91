"""What a table must be before anything is trained on it; what is wrong is said by column and row."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from api.model.schema import BOUNDS, FEATURES, TARGET, TARGET_UNIT
from training.errors import DataError

FEWEST_ROWS = 200
"""Below this, the held-out fifth is too small to say anything about a model."""

TARGET_BOUNDS = (0.0, 100.0)
"""In 100,000 USD: a median above ten million dollars is a sum given in dollars."""

SHOWN = 5


def check(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """The table with the schema's columns as float64.

    Rows are counted from 1, without a header line, as `table.iloc[row - 1]`.

    Raises:
        DataError: a column is missing, there are too few rows, or a value is missing, not a number or out of bounds.
    """
    wanted = [*FEATURES, TARGET]
    if missing := [name for name in wanted if name not in table.columns]:
        raise DataError(f"{source} lacks the columns {', '.join(missing)}; needed are {', '.join(wanted)}.")
    if len(table) < FEWEST_ROWS:
        raise DataError(f"{source} has {len(table)} rows; at least {FEWEST_ROWS} are needed.")
    bounds = {**BOUNDS, TARGET: TARGET_BOUNDS}
    faults = [fault for name in wanted for fault in _faults(table[name], *bounds[name])]
    if faults:
        more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        hint = f" ({TARGET} is in {TARGET_UNIT}.)" if any(fault.startswith(TARGET) for fault in faults) else ""
        raise DataError(f"{source} has bad values: {'; '.join(faults[:SHOWN])}{more}.{hint}")
    return table[wanted].astype("float64")


def _faults(column: pd.Series, low: float, high: float) -> Iterator[str]:
    numbers = pd.to_numeric(column, errors="coerce").to_numpy("float64")
    good = np.isfinite(numbers) & (numbers >= low) & (numbers <= high)
    for row in np.flatnonzero(~good):
        value = column.iloc[row]
        where = f"{column.name}, row {row + 1}"
        if pd.isna(value):
            yield f"{where}: no value"
        elif not np.isfinite(numbers[row]):
            yield f"{where}: {str(value)!r} is not a finite number"
        else:
            yield f"{where}: {value} is outside {low:.10g} to {high:.10g}"
