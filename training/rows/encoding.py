"""A table's rows in the model's own numbers, as the service makes them of requests."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from api.store.schema import Schema


def numbers(table: pd.DataFrame, schema: Schema) -> npt.NDArray[np.float32]:
    """The features of checked rows: shape (n, features), codes for categories, NaN where a value is missing."""
    columns = [_codes(table[name]) for name in schema.names]
    with np.errstate(over="ignore"):
        return np.stack(columns, axis=1).astype(np.float32) if len(table) else np.empty((0, len(columns)), np.float32)


def _codes(column: pd.Series) -> npt.NDArray[np.float64]:
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return column.to_numpy("float64")
    codes = column.cat.codes.to_numpy("float64")
    return np.where(codes < 0, np.nan, codes)
