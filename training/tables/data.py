"""The rows that a training is given: a file of the user's own, or California Housing and the proof that it is."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from api.model.schema import FEATURES, TARGET
from training.errors import DataError
from training.tables.checks import check
from training.tables.files import read

COLUMNS = [*FEATURES, TARGET]


class Dataset(NamedTuple):
    """Checked rows: the eight features and the target, all float64, in the schema's order."""

    table: pd.DataFrame
    source: str
    sha256: str
    """Of the values, so that two runs can tell whether they saw the same rows."""


def load(file: Path | None = None) -> Dataset:
    """Load a file of the user's own, or California Housing.

    Raises:
        DataError: there is no such data, or something is wrong with it; the text says what and where.
    """
    if file:
        return _checked(read(file), str(file))
    # A file of one's own is refused before scikit-learn is imported, which takes seconds.
    from training.tables import california

    dataset = _checked(*california.california_housing())
    if dataset.sha256 != california.CHECKSUM:
        raise DataError(
            f"What {dataset.source} gave is not California Housing: its sha256 is {dataset.sha256}. {california.WAYS}"
        )
    return dataset


def checksum(table: pd.DataFrame) -> str:
    """The sha256 of the values of `COLUMNS` as little-endian float64, row by row."""
    return hashlib.sha256(table[COLUMNS].to_numpy("<f8").tobytes()).hexdigest()


def _checked(table: pd.DataFrame, source: str) -> Dataset:
    table = check(table, source)[COLUMNS].reset_index(drop=True)
    return Dataset(table, source, checksum(table))
