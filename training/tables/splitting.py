"""Who may see which rows, decided before anything is looked at."""

from typing import NamedTuple

import pandas as pd
from sklearn.model_selection import train_test_split

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
        return self.test.iloc[::2]

    @property
    def verification(self) -> pd.DataFrame:
        """The other half, on which the interval's coverage is measured."""
        return self.test.iloc[1::2]


def split(table: pd.DataFrame) -> Split:
    """Shuffle and hold out a fifth of the rows."""
    train, test = train_test_split(table, test_size=HELD_OUT, random_state=SEED)
    return Split(train, test)
