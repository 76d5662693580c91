"""The rows that a training works with: split, cleaned and counted before anything is fitted."""

import logging
from typing import NamedTuple

import pandas as pd

from training.errors import DataError
from training.fitting.distribution import ranges
from training.fitting.facts import Sampled
from training.rows.cleaning import clean
from training.rows.data import Dataset
from training.rows.splitting import Split, numbered, split
from training.tables.description import Table

FEWEST_ROWS = 50
"""Fewer different, clean training rows cannot be cross-validated to any purpose."""

log = logging.getLogger(__name__)


class Prepared(NamedTuple):
    """Rows in memory: the whole table, or of one in parts the samples that stand for it."""

    dataset: Dataset
    """What the run keeps, so that it can be repeated and its model proven."""
    parts: Split
    """Training rows before cleaning, and held-out rows."""
    train: pd.DataFrame
    """The training rows after cleaning."""
    data_rows: int
    train_rows: int
    """Of the whole table, as all that follows."""
    test_rows: int
    repeated_rows: int
    removed: dict[str, int]
    ranges: dict[str, tuple[float, float]]
    sampled: Sampled | None = None
    calibrate: pd.DataFrame | None = None
    """Of a table in parts: cleaned rows that are not learned from, to set intervals on."""


def prepare(dataset: Dataset, description: Table) -> Prepared:
    """Split and clean a table that is in memory.

    Raises:
        DataError: cleaning left nothing to learn from.
    """
    log.info("%s rows from %s, sha256 %s...", f"{len(dataset.table):,}", dataset.source, dataset.sha256[:12])
    repeated = len(dataset.table) - len(set(numbered(dataset.table)))
    parts = split(dataset.table, description)
    train, removed = clean(parts.train, description.cleaning)
    prepared = Prepared(
        dataset,
        parts,
        train,
        data_rows=len(dataset.table),
        train_rows=len(train),
        test_rows=len(parts.test),
        repeated_rows=repeated,
        removed=removed,
        ranges=ranges(train, description.schema().features),
    )
    say(prepared, len(parts.train))
    check(prepared, description)
    return prepared


def say(prepared: Prepared, before: int) -> None:
    """Log what repeats others, and what cleaning removed of so many training rows."""
    if prepared.repeated_rows:
        about = "" if prepared.sampled is None else "about "
        repeat = "row repeats another" if prepared.repeated_rows == 1 else "rows repeat others"
        log.info("%s%s %s and stay on the same side of every split", about, f"{prepared.repeated_rows:,}", repeat)
    for rule, rows in prepared.removed.items():
        log.info("Cleaning: %s removed %d of %s training rows", rule, rows, f"{before:,}")


def check(prepared: Prepared, description: Table) -> None:
    """Cleaning must have left something to learn.

    Raises:
        DataError: it has not.
    """
    train = prepared.train
    if len(set(numbered(train))) < FEWEST_ROWS:
        before = f"{len(prepared.parts.train):,}"
        raise DataError(f"Cleaning left {len(train)} of {before} training rows, too few to train on.")
    target = train[description.target.column]
    if target.nunique() == 1:
        raise DataError(f"All training rows have the {target.name} {target.iloc[0]}: there is nothing to learn.")
    if description.target.kind != "number" and target.nunique() < len(description.schema().target.classes):
        raise DataError(f"The training rows lack a class of {target.name}: it can neither be learned nor judged.")
