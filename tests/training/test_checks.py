"""What is wrong with a table is said by column and row."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.california import TABLE
from training.errors import DataError
from training.rows.checks import check
from training.rows.files import Read


def checked(table: pd.DataFrame) -> pd.DataFrame:
    """The table, checked as California Housing out of a file."""
    return check(Read(table, "CSV"), TABLE, "own.csv")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("MedInc", np.nan, "MedInc, row 8: no value"),
        ("AveRooms", np.inf, "AveRooms, row 8: 'inf' is not a finite number"),
        ("HouseAge", "old", "HouseAge, row 8: 'old' is not a finite number"),
        ("Latitude", 51.5, "Latitude, row 8: 51.5 is outside 32.5 to 42.1"),
        ("Population", -1, "Population, row 8: -1 is outside 0 to 29760021"),
        ("MedHouseVal", 452_600, "MedHouseVal, row 8: 452600 is outside 0 to 100"),
    ],
)
def test_bad_value(table: pd.DataFrame, column: str, value: Any, message: str) -> None:
    """A missing, infinite, textual or impossible value is named with its column and row."""
    bad = table.head(300).astype(object if isinstance(value, str) else float)
    bad.loc[7, column] = value
    with pytest.raises(DataError) as caught:
        checked(bad)
    assert str(caught.value).startswith(f"own.csv has bad values: {message}.")


def test_many_bad_values_are_counted(table: pd.DataFrame) -> None:
    """The first few bad values are shown, the others counted."""
    with pytest.raises(DataError, match=r"row 5: no value; and 295 more\."):
        checked(table.head(300).assign(AveOccup=np.nan))


def test_missing_columns(table: pd.DataFrame) -> None:
    """Missing columns are named, and beside them those that are there and all that are needed."""
    with pytest.raises(DataError) as caught:
        checked(table.drop(columns=["HouseAge", "MedHouseVal"]).assign(Price=1.0))
    assert str(caught.value) == (
        "own.csv lacks the columns HouseAge, MedHouseVal; it has MedInc, AveRooms, AveBedrms, Population, AveOccup, "
        "Latitude, Longitude, Price; needed are MedInc, HouseAge, AveRooms, AveBedrms, Population, AveOccup, Latitude, "
        "Longitude, MedHouseVal."
    )


def test_a_wide_table_is_not_listed_whole(table: pd.DataFrame) -> None:
    """Of many columns the first are shown and the others counted."""
    wide = pd.DataFrame({f"x{number}": [1.0] for number in range(50)})
    with pytest.raises(DataError, match=r"it has x0, x1, .*, x19 and 30 more; needed are"):
        checked(wide)


def test_names_in_another_case(table: pd.DataFrame) -> None:
    """A column that differs in case or has blanks around it is pointed out."""
    with pytest.raises(DataError, match=r"as they are written: 'medinc' is not MedInc, ' Latitude' is not Latitude\."):
        checked(table.rename(columns={"MedInc": "medinc", "Latitude": " Latitude"}))


def test_no_line_of_names(table: pd.DataFrame) -> None:
    """Values in the place of names are recognised."""
    with pytest.raises(DataError, match="look like values: the first line must be the columns' names"):
        checked(table.set_axis([f"{value}" for value in table.iloc[0]], axis="columns"))


def test_a_column_twice(table: pd.DataFrame) -> None:
    """A needed column that is there twice is named; one that is left aside may be."""
    with pytest.raises(DataError, match=r"more than one column named AveOccup: keep one"):
        checked(pd.concat([table, table[["AveOccup"]]], axis="columns"))
    notes = pd.DataFrame([["a", "b"]] * len(table), columns=["note", "note"])
    pd.testing.assert_frame_equal(checked(pd.concat([table, notes], axis="columns")), table)


@pytest.mark.parametrize(
    ("ages", "shown"),
    [
        (pd.Series([True] * 300), "True"),
        (pd.Series([True] * 300, dtype="boolean"), "True"),
        (pd.Series([True, *[41.0] * 299], dtype=object), "True"),
        (pd.Series(pd.date_range("1990-04-01", periods=300)), "1990-04-01 00:00:00"),
    ],
)
def test_what_is_no_number(table: pd.DataFrame, ages: pd.Series, shown: str) -> None:
    """Yes and no, and dates, are no numbers, though pandas would count them as some."""
    with pytest.raises(DataError, match=f"HouseAge, row 1: '{shown}' is not a finite number"):
        checked(table.head(300).assign(HouseAge=ages))


@pytest.mark.parametrize("dtype", ["Int64", "category", "str"])
def test_numbers_in_other_clothes(table: pd.DataFrame, dtype: str) -> None:
    """Whole numbers as pandas' nullable ones, as categories or as text are numbers."""
    whole = table.head(300).astype({"HouseAge": "int64"}).astype({"HouseAge": dtype})
    pd.testing.assert_frame_equal(checked(whole), table.head(300))


def test_a_missing_nullable_number(table: pd.DataFrame) -> None:
    """A table's own missing value is a missing value."""
    bad = table.head(300).astype({"HouseAge": "Int64"})
    bad.loc[7, "HouseAge"] = pd.NA
    with pytest.raises(DataError, match="HouseAge, row 8: no value"):
        checked(bad)


def test_constant_target(table: pd.DataFrame) -> None:
    """A target that never changes is said to be one, with its value."""
    with pytest.raises(DataError, match=r"own\.csv has MedHouseVal 2\.5 in every row: there is nothing to learn\."):
        checked(table.head(300).assign(MedHouseVal=2.5))


def test_too_few_rows(table: pd.DataFrame) -> None:
    """A table too small to hold anything out is refused."""
    with pytest.raises(DataError, match="has 99 rows; at least 100 different ones are needed"):
        checked(table.head(99))


def test_too_few_different_rows(table: pd.DataFrame) -> None:
    """Repeating rows does not make a table larger."""
    with pytest.raises(DataError, match="has 990 rows, 99 of them different; at least 100 different ones"):
        checked(pd.concat([table.head(99)] * 10))


def test_integers_become_floats(table: pd.DataFrame) -> None:
    """Columns of whole numbers are taken, as float64."""
    floats = checked(table.head(300).astype({"HouseAge": "int32", "Population": "int64"}))
    assert set(floats.dtypes.astype(str)) == {"float64"}
