"""What is wrong with a table is said by column and row."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.errors import DataError
from training.tables.checks import check


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("MedInc", np.nan, "MedInc, row 8: no value"),
        ("AveRooms", np.inf, "AveRooms, row 8: 'inf' is not a finite number"),
        ("HouseAge", "old", "HouseAge, row 8: 'old' is not a finite number"),
        ("Latitude", 51.5, "Latitude, row 8: 51.5 is outside 32.5 to 42.1"),
        ("Population", -1, "Population, row 8: -1.0 is outside 0 to 29760021"),
        ("MedHouseVal", 452_600, "MedHouseVal, row 8: 452600.0 is outside 0 to 100"),
    ],
)
def test_bad_value(table: pd.DataFrame, column: str, value: Any, message: str) -> None:
    """A missing, infinite, textual or impossible value is named with its column and row."""
    bad = table.head(300).astype(object if isinstance(value, str) else float)
    bad.loc[7, column] = value
    with pytest.raises(DataError) as caught:
        check(bad, "own.csv")
    assert str(caught.value).startswith(f"own.csv has bad values: {message}.")


def test_dollars_are_explained(table: pd.DataFrame) -> None:
    """A target in dollars is answered with the unit that is expected."""
    with pytest.raises(DataError, match=r"MedHouseVal is in 100,000 USD"):
        check(table.head(300).assign(MedHouseVal=452_600.0), "own.csv")


def test_many_bad_values_are_counted(table: pd.DataFrame) -> None:
    """The first few bad values are shown, the others counted."""
    with pytest.raises(DataError, match=r"row 5: no value; and 295 more\."):
        check(table.head(300).assign(AveOccup=np.nan), "own.csv")


def test_missing_columns(table: pd.DataFrame) -> None:
    """Missing columns are named, and all that are needed."""
    with pytest.raises(DataError, match="lacks the columns HouseAge, MedHouseVal; needed are MedInc, HouseAge, "):
        check(table.drop(columns=["HouseAge", "MedHouseVal"]), "own.csv")


def test_too_few_rows(table: pd.DataFrame) -> None:
    """A table too small to hold anything out is refused."""
    with pytest.raises(DataError, match="has 199 rows; at least 200 are needed"):
        check(table.head(199), "own.csv")


def test_integers_become_floats(table: pd.DataFrame) -> None:
    """Columns of whole numbers are taken, as float64."""
    checked = check(table.head(300).astype({"HouseAge": "int32", "Population": "int64"}), "own.csv")
    assert set(checked.dtypes.astype(str)) == {"float64"}
