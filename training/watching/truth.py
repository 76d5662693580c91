"""True values that came later: joined to captured rows, and what they say of the predictions."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from training.errors import DataError
from training.fitting import scores
from training.fitting.estimators import Values, truth
from training.rows.checks import check_target
from training.rows.files import Read, read
from training.tables.description import Table
from training.watching.captured import HIGH, LABELS, LOW, PREDICTION, PROBABILITY, REQUEST_ID, ROW

ID, PLACE = "request_id", "row"
"""The columns of a file of true values that say whose each is; without `row` it is of the first row of its request."""


class Live(NamedTuple):
    """How good predictions were on rows whose truth is known by now."""

    rows: int
    metrics: dict[str, float]
    """By the names that a manifest's have: `test_rmse`, `interval_coverage`."""
    losses: Values
    """Of each row, see `training.fitting.scores.losses`."""
    held: Values
    """1 for each row whose interval or set holds the truth, else 0; empty where the model has none."""


def load(file: Path, description: Table) -> pd.DataFrame:
    """A file of true values: whose they are, the target, typed, and what else the description splits or groups by.

    Rows without a true value are left out.

    Raises:
        DataError: a column is missing, a value is none that the target may have, or a row is there twice.
    """
    found = read(file)
    target = description.target.column
    if target in (ID, PLACE):
        raise DataError(f"{file}: a target named {target!r} cannot stand beside the {target} of its request.")
    table = found.table
    if missing := [name for name in (ID, target) if list(table.columns).count(name) != 1]:
        raise DataError(
            f"{file} needs a column {missing[0]!r}, once: give {ID}, {PLACE} (0 where it is left out) and {target}."
        )
    there = table[target].notna()
    table = table[there].reset_index(drop=True)
    source = str(file) if there.all() else f"{file} (rows without a {target} are not counted)"
    typed = check_target(Read(table, found.recognised, found.decimal), description.target, source)
    typed.insert(0, REQUEST_ID, table[ID].astype(str).str.strip())
    typed.insert(1, ROW, _places(table, source))
    for name in description.columns:
        if name in table and name not in (*description.features, *typed):
            typed[name] = table[name]
    if twice := typed.loc[typed.duplicated([REQUEST_ID, ROW]), REQUEST_ID].tolist():
        raise DataError(f"{file} has more than one true value of request {twice[0]}, row by row: keep one of each.")
    return typed


def _places(table: pd.DataFrame, source: str) -> pd.Series:
    if PLACE not in table:
        return pd.Series(0, index=table.index)
    places = pd.to_numeric(table[PLACE], errors="coerce")
    wrong = places.isna() | (places < 0) | (places % 1 != 0)
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise DataError(
            f"{source}, row {row + 1}: {PLACE} {table[PLACE].iloc[row]!r} is no place in a request, from 0."
        )
    return places.astype("int64")


def join(captured: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The captured rows whose truth is known, with it; those whose request and row stand for several rows are left out.

    A caller may name requests, and use one name for all of them.

    Raises:
        DataError: none is left.
    """
    several = captured.duplicated([REQUEST_ID, ROW], keep=False)
    new = [name for name in known if name in (REQUEST_ID, ROW) or name not in captured]
    joined = captured[~several].merge(known[new], on=[REQUEST_ID, ROW])
    if joined.empty:
        raise DataError(
            f"None of the {len(known):,} true values is of one of the {len(captured):,} captured rows: "
            f"{ID} and {PLACE} must be those of the requests, and stand for one row each."
        )
    return joined


def measure(joined: pd.DataFrame, description: Table) -> Live:
    """The figures of a model's card, of rows that it answered."""
    true = truth(joined, description)
    if description.target.kind == "number":
        predicted: Values = joined[PREDICTION].to_numpy("float64")
        intervals = joined[[LOW, HIGH]].to_numpy("float64")
        inside = (true >= intervals[:, 0]) & (true <= intervals[:, 1])
        held, name = inside[~np.isnan(intervals).any(axis=1)].astype("float64"), "interval_coverage"
    else:
        classes = description.schema().target.classes
        predicted = joined[[f"{PROBABILITY}{label}" for label in classes]].to_numpy("float64")
        sets = zip(true.astype(int), joined[LABELS], strict=True)
        held = np.array([float(classes[code] in labels) for code, labels in sets if labels is not None])
        name = "set_coverage"
    metrics = {f"test_{key}": value for key, value in scores.score(true, predicted).items()}
    if len(held):
        metrics[name] = float(held.mean())
    return Live(len(joined), metrics, scores.losses(true, predicted), held)
