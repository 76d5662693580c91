"""Which rows no model learns from."""

import pandas as pd
import pytest

from tests.california import TABLE
from training.rows.cleaning import clean

RULES = TABLE.cleaning


@pytest.mark.parametrize(
    ("rule", "column", "dropped", "kept"),
    [
        ("absurd_rooms", "AveRooms", 50.1, 50.0),
        ("absurd_bedrooms", "AveBedrms", 10.1, 10.0),
        ("absurd_occupancy", "AveOccup", 20.1, 20.0),
    ],
)
def test_each_rule(table: pd.DataFrame, rule: str, column: str, dropped: float, kept: float) -> None:
    """A rule drops what it names and nothing at its edge."""
    rows = table.head(3).copy()
    rows.loc[0, column] = dropped
    rows.loc[1, column] = kept
    cleaned = clean(rows, RULES)
    assert list(cleaned.table.index) == [1, 2]
    assert cleaned.removed == {other.name: int(other.name == rule) for other in RULES}


def test_counts_add_up(table: pd.DataFrame) -> None:
    """A row that breaks several rules counts once, so that the counts add up to what is missing."""
    kept, removed = clean(table, RULES)
    assert removed == {"absurd_rooms": 9, "absurd_bedrooms": 1, "absurd_occupancy": 10}
    assert len(kept) == len(table) - sum(removed.values())


def test_cleaning_reads_no_statistics(table: pd.DataFrame) -> None:
    """Whether a row is kept depends on that row alone: cleaning pieces equals cleaning the whole."""
    pieces = pd.concat([clean(table.iloc[:5_000], RULES).table, clean(table.iloc[5_000:], RULES).table])
    pd.testing.assert_frame_equal(pieces, clean(table, RULES).table)


def test_the_target_removes_no_row(table: pd.DataFrame) -> None:
    """Rows are dropped for their features alone, which a service sees too; capped values are learned from."""
    kept = clean(table.assign(MedHouseVal=5.00001), RULES).table
    pd.testing.assert_index_equal(kept.index, clean(table, RULES).table.index)
