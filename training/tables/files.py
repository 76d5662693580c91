"""A user's own CSV or Parquet file, read as it is, and said as what it is where it is no such file."""

import warnings
from pathlib import Path

import pandas as pd
from pandas.errors import ParserWarning

from training.errors import DataError

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def read(file: Path) -> pd.DataFrame:
    """Read a file; the columns keep the names that they have there, also where two have the same.

    Raises:
        DataError: it is no CSV or Parquet file, or none that can be read as a table.
    """
    suffix = file.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise DataError(f"{file} is neither .csv nor .parquet: save the table as one of these.")
    try:
        return _csv(file) if suffix == ".csv" else pd.read_parquet(file)
    except (OSError, ValueError) as error:  # pandas' and pyarrow's parse errors are ValueErrors
        raise DataError(f"{file} cannot be read: {' '.join(str(error).split())}") from error


def _csv(file: Path) -> pd.DataFrame:
    first_line = pd.read_csv(file, header=None, nrows=1, dtype=str, keep_default_na=False)
    names = first_line.iloc[0].tolist()
    if names[0].lower().startswith("sep="):
        raise DataError(f"{file} begins with the line {names[0]!r}, which is for Excel alone: remove it.")
    if len(names) == 1:
        for separator, plural in SEPARATORS.items():
            if separator in names[0]:
                raise DataError(f"{file} is separated by {plural}: save it with commas, and with points in numbers.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ParserWarning)
            # Otherwise pandas takes the first column for the rows' names where rows are longer than the first line.
            table = pd.read_csv(file, index_col=False, low_memory=False)
    except ParserWarning as error:
        raise DataError(
            f"{file} has more values in its rows than names in its first line: is there a comma too many?"
        ) from error
    table.columns = pd.Index(names)
    return table
