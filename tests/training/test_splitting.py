"""Which rows are held out, and on which side a row is that is there twice."""

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, train_test_split

from tests.california import TABLE
from training.rows.splitting import folds_of, numbered, split


def test_split_is_the_usual_one(table: pd.DataFrame) -> None:
    """The held-out rows are those of scikit-learn's split with seed 42, taken before cleaning."""
    parts = split(table, TABLE)
    train, test = train_test_split(table, test_size=0.2, random_state=42)
    pd.testing.assert_frame_equal(parts.train, train)
    pd.testing.assert_frame_equal(parts.test, test)


def test_a_repeated_row_stays_on_one_side(table: pd.DataFrame) -> None:
    """In a table made by repetition no row is held out and learned from."""
    repeated = table.sample(20_000, replace=True, random_state=0)
    parts = split(repeated, TABLE)
    assert len(parts.train) + len(parts.test) == len(repeated)
    assert len(parts.test) / len(repeated) > 0.19
    assert not contents(parts.train) & contents(parts.test)


def test_repeating_the_whole_table_moves_no_row(table: pd.DataFrame) -> None:
    """The same table three times over has the same held-out rows, three times each."""
    parts = split(pd.concat([table] * 3, ignore_index=True), TABLE)
    assert contents(parts.test) == contents(split(table, TABLE).test)
    assert len(parts.test) == 3 * len(split(table, TABLE).test)


def test_folds_are_the_usual_ones(table: pd.DataFrame) -> None:
    """Where every row is another, the folds are those of scikit-learn's KFold."""
    rows = table.head(1_003)
    pairs = zip(folds_of(rows, TABLE, 5).split(), KFold(5).split(rows), strict=True)
    for (train, test), (usual_train, usual_test) in pairs:
        np.testing.assert_array_equal(train, usual_train)
        np.testing.assert_array_equal(test, usual_test)


def test_a_repeated_row_is_in_one_fold(table: pd.DataFrame) -> None:
    """No candidate is measured on a row that it has learned from."""
    rows = table.sample(2_000, replace=True, random_state=0)
    held_out = 0
    for train, test in folds_of(rows, TABLE, 4).split():
        assert not contents(rows.iloc[train]) & contents(rows.iloc[test])
        held_out += len(test)
    assert held_out == len(rows)


def test_rows_are_told_apart_by_every_value(table: pd.DataFrame) -> None:
    """Rows are numbered as they first appear; one other bit in one column makes another row."""
    row = table.head(1)
    other = row.assign(MedHouseVal=np.nextafter(row["MedHouseVal"], 9))
    assert numbered(pd.concat([row, other, row, other])).tolist() == [0, 1, 0, 1]


def contents(rows: pd.DataFrame) -> set[tuple[float, ...]]:
    """The rows' values."""
    return set(rows.itertuples(index=False, name=None))
