"""Who may see which rows, decided before anything is looked at. Rows that are the same are never on two sides."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import PredefinedSplit, train_test_split

HELD_OUT = 0.2
SEED = 42
"""Fixed whatever `--seed` says: two models can only be compared on the same held-out rows."""


class Split(NamedTuple):
    """The training rows, and the held-out rows that neither fitting nor choosing a model ever sees."""

    train: pd.DataFrame
    test: pd.DataFrame

    @property
    def calibration(self) -> pd.DataFrame:
        """The half of the held-out rows that sets the width of the prediction interval."""
        return self.test.iloc[np.flatnonzero(numbered(self.test) % 2 == 0)]

    @property
    def verification(self) -> pd.DataFrame:
        """The other half, on which the interval's coverage is measured."""
        return self.test.iloc[np.flatnonzero(numbered(self.test) % 2 == 1)]


def numbered(table: pd.DataFrame) -> npt.NDArray[np.intp]:
    """A number for each row, in the order of their first appearance: the same for rows of the same values.

    Rows are told apart by a hash of 64 bits.
    """
    return pd.factorize(pd.util.hash_pandas_object(table, index=False))[0]


def split(table: pd.DataFrame) -> Split:
    """Shuffle and hold out a fifth of the rows; where no row is repeated, scikit-learn's `train_test_split`."""
    numbers = numbered(table)
    places = pd.Series(np.arange(len(table)), index=numbers)
    train, test = train_test_split(np.arange(numbers.max() + 1), test_size=HELD_OUT, random_state=SEED)
    return Split(table.iloc[places.loc[train]], table.iloc[places.loc[test]])


def folds_of(table: pd.DataFrame, folds: int) -> PredefinedSplit:
    """Folds for cross-validation; where no row is repeated, those of scikit-learn's `KFold`."""
    numbers = numbered(table)
    parts = np.array_split(np.arange(numbers.max() + 1), folds)
    return PredefinedSplit(np.repeat(np.arange(folds), [len(part) for part in parts])[numbers])
