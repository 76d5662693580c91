"""The rows that a training is given: a file of the user's own, or California Housing and the proof that it is."""

import hashlib
import logging
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from training.errors import DataError
from training.rows.checks import check
from training.rows.files import Read
from training.rows.parts import Part, Parts, beyond_memory, find
from training.tables.description import Table

log = logging.getLogger(__name__)


class Dataset(NamedTuple):
    """Checked rows: the description's columns, typed as `training.rows.checks.check` has them."""

    table: pd.DataFrame
    source: str
    sha256: str
    """Of the values, so that two runs can tell whether they saw the same rows."""


def rows_of(description: Table, data: str | None = None) -> Dataset | Parts:
    """Find the rows: in memory where they fit, else the parts that they are read from.

    Args:
        description: of the table.
        data: see `training.rows.parts.find`; None for California Housing.

    Raises:
        DataError: there is no such data, or something is wrong with it; the text says what and where.
    """
    if data is None:
        return load(description)
    parts = find(data)
    if reason := beyond_memory(parts, len(description.columns)):
        log.info("Training in parts, since %s: at no time are all rows in memory", reason)
        return Parts(parts, data)
    return _read(parts[0], description)


def load(description: Table, file: Path | None = None) -> Dataset:
    """Load a file of the user's own; for the shipped table without one, California Housing.

    Raises:
        DataError: there is no such data, or something is wrong with it; the text says what and where.
    """
    if file:
        return _read(Part(str(file), file.stat().st_size), description)
    # A file of one's own is refused before scikit-learn is imported, which takes seconds.
    from training.rows import california

    if description.name != california.NAME:
        raise DataError(f"Name the file with the rows of {description.name}: --data FILE.")
    table, source = california.california_housing()
    dataset = _checked(Read(table, source), description, source)
    if dataset.sha256 != california.CHECKSUM:
        raise DataError(
            f"What {dataset.source} gave is not California Housing: its sha256 is {dataset.sha256}. {california.WAYS}"
        )
    return dataset


def checksum(table: pd.DataFrame) -> str:
    """The sha256 of the values: of numbers alone as little-endian float64, row by row, else of each column's hash."""
    if all(pd.api.types.is_float_dtype(dtype) for dtype in table.dtypes):
        return hashlib.sha256(table.to_numpy("<f8").tobytes()).hexdigest()
    return hashlib.sha256(pd.util.hash_pandas_object(table, index=False).to_numpy("<u8").tobytes()).hexdigest()


def _read(file: Part, description: Table) -> Dataset:
    found = file.read()
    log.info("%s: %s", file.name, found.recognised)
    return _checked(found, description, file.name)


def _checked(found: Read, description: Table, source: str) -> Dataset:
    table = check(found, description, source).reset_index(drop=True)
    return Dataset(table, source, checksum(table))
