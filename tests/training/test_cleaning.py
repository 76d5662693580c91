"""Which rows are dropped, and which are held out."""

import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from training.tables.cleaning import RULES, clean
from training.tables.splitting import split


@pytest.mark.parametrize(
    ("rule", "column", "dropped", "kept"),
    [
        ("absurd_rooms", "AveRooms", 50.1, 50.0),
        ("absurd_bedrooms", "AveBedrms", 10.1, 10.0),
        ("absurd_occupancy", "AveOccup", 20.1, 20.0),
        ("capped_target", "MedHouseVal", 5.00001, 5.0),
        ("capped_target", "MedHouseVal", 5.00001, 7.5),
    ],
)
def test_each_rule(table: pd.DataFrame, rule: str, column: str, dropped: float, kept: float) -> None:
    """A rule drops what it names and nothing at its edge; a value above the census' cap is not the cap."""
    rows = table.head(3).copy()
    rows.loc[0, column] = dropped
    rows.loc[1, column] = kept
    cleaned = clean(rows)
    assert list(cleaned.table.index) == [1, 2]
    assert cleaned.removed == {other.name: int(other.name == rule) for other in RULES}


def test_counts_add_up(table: pd.DataFrame) -> None:
    """A row that breaks several rules counts once, so that the counts add up to what is missing."""
    kept, removed = clean(table)
    assert removed == {"absurd_rooms": 9, "absurd_bedrooms": 1, "absurd_occupancy": 10, "capped_target": 963}
    assert len(kept) == len(table) - sum(removed.values())


def test_cleaning_reads_no_statistics(table: pd.DataFrame) -> None:
    """Whether a row is kept depends on that row alone: cleaning pieces equals cleaning the whole."""
    pieces = pd.concat([clean(table.iloc[:5_000]).table, clean(table.iloc[5_000:]).table])
    pd.testing.assert_frame_equal(pieces, clean(table).table)


def test_split_is_the_usual_one(table: pd.DataFrame) -> None:
    """The held-out rows are those of scikit-learn's split with seed 42, taken before cleaning."""
    parts = split(table)
    train, test = train_test_split(table, test_size=0.2, random_state=42)
    pd.testing.assert_frame_equal(parts.train, train)
    pd.testing.assert_frame_equal(parts.test, test)


def test_calibration_is_apart(table: pd.DataFrame) -> None:
    """The interval's width and its coverage come from different rows, and both from the held-out ones."""
    parts = split(table)
    calibration, verification = set(parts.calibration.index), set(parts.verification.index)
    assert not calibration & verification
    assert calibration | verification == set(parts.test.index)
    assert len(calibration) == len(verification) == 2_064
