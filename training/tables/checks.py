"""What a table must be before anything is trained on it; what is wrong is said by column and row."""

from collections.abc import Iterator
from numbers import Number
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from api.model.schema import BOUNDS, FEATURES, TARGET, TARGET_UNIT
from training.errors import DataError

FEWEST_ROWS = 200
"""Below this, the held-out fifth is too small to say anything about a model."""

TARGET_BOUNDS = (0.0, 100.0)
"""In 100,000 USD: a median above ten million dollars is a sum given in dollars."""

SHOWN = 5
NAMES_SHOWN = 20


def check(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """The table with the schema's columns as float64.

    Rows are counted from 1, without a header line, as `table.iloc[row - 1]`.

    Raises:
        DataError: a column is missing or there twice, there are too few different rows, a value is missing, not a
            number or out of bounds, or the target never changes.
    """
    wanted = [*FEATURES, TARGET]
    _check_names([str(name) for name in table.columns], wanted, source)
    numbers = pd.DataFrame({name: _numbers(table[name]) for name in wanted})
    different = len(numbers.drop_duplicates())
    if different < FEWEST_ROWS:
        others = f", {different} of them different" if different < len(table) else ""
        raise DataError(f"{source} has {len(table)} rows{others}; at least {FEWEST_ROWS} different ones are needed.")
    bounds = {**BOUNDS, TARGET: TARGET_BOUNDS}
    faults = [fault for name in wanted for fault in _faults(table[name], numbers[name].to_numpy(), *bounds[name])]
    if faults:
        more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        hint = f" ({TARGET} is in {TARGET_UNIT}.)" if any(fault.startswith(TARGET) for fault in faults) else ""
        raise DataError(f"{source} has bad values: {'; '.join(faults[:SHOWN])}{more}.{hint}")
    if numbers[TARGET].nunique() == 1:
        raise DataError(f"{source} has {TARGET} {numbers[TARGET][0]:g} in every row: there is nothing to learn.")
    return numbers


def _check_names(names: list[str], wanted: list[str], source: str) -> None:
    if twice := [name for name in wanted if names.count(name) > 1]:
        raise DataError(f"{source} has more than one column named {', '.join(twice)}: keep one of each.")
    if not (missing := [name for name in wanted if name not in names]):
        return
    found = ", ".join(names[:NAMES_SHOWN]) + (f" and {len(names) - NAMES_SHOWN} more" if names[NAMES_SHOWN:] else "")
    hint = ""
    written = {name.strip().casefold(): name for name in names}
    if others := [f"{written[name.casefold()]!r} is not {name}" for name in missing if name.casefold() in written]:
        hint = f" Names are taken as they are written: {', '.join(others)}."
    elif not np.isnan(pd.to_numeric(pd.Series(names), errors="coerce")).any():
        hint = " These look like values: the first line must be the columns' names."
    raise DataError(
        f"{source} lacks the columns {', '.join(missing)}; it has {found}; needed are {', '.join(wanted)}.{hint}"
    )


def _numbers(column: pd.Series) -> npt.NDArray[np.float64]:
    """The values as float64, NaN where there is no number: yes and no, dates and other text are none."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        values = column.astype(object)
        column = pd.to_numeric(values.where(values.map(_may_be_number)), errors="coerce")
    return column.to_numpy("float64", na_value=np.nan)


def _may_be_number(value: Any) -> bool:
    return isinstance(value, str | Number) and not isinstance(value, bool | np.bool_)


def _faults(column: pd.Series, numbers: npt.NDArray[np.float64], low: float, high: float) -> Iterator[str]:
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
