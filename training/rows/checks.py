"""What a table must be before anything is trained on it; what is wrong is said by column and row."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from api.rows.fields import listed
from api.store.schema import Feature
from training.errors import DataError
from training.rows import values
from training.rows.files import Read
from training.tables.description import FeatureSays, Table, TargetSays

FEWEST_ROWS = 100
"""Below this, the held-out part is too small to say anything about a model."""

FEWEST_OF_A_CLASS = 10
"""Fewer rows of a class cannot be spread over folds and held-out rows."""

SHOWN = 5
MOST_NAMES = 20

Says = FeatureSays | TargetSays | Feature
"""What is said of a column."""


def check(found: Read, description: Table, source: str) -> pd.DataFrame:
    """The description's columns, typed: numbers and yes/no as float64, categories and classes as categorical.

    Rows are counted from 1, without a header line.

    Raises:
        DataError: a column is missing or there twice, there are too few different rows, a value is missing where none
            may be, of another kind or out of bounds, or the target never changes.
    """
    table = check_columns(found, description, source)
    check_rows(table, description, source)
    return table


def check_columns(found: Read, description: Table, source: str, names: Iterable[str] = ()) -> pd.DataFrame:
    """The same of rows that are some of many, so that nothing is asked of their number; of these columns, or all.

    Raises:
        DataError: a column is missing or there twice, a value is missing where none may be, of another kind or out of
            bounds.
    """
    says: dict[str, Says | None] = {name: description.features.get(name) for name in description.columns}
    says[description.target.column] = description.target
    return _columns(found, {name: says[name] for name in names or says}, source)


def check_features(found: Read, features: Iterable[Feature], source: str) -> pd.DataFrame:
    """The features of rows to predict, typed as `check` has them; they need no target and may be few.

    Raises:
        DataError: a column is missing or there twice, or a value is none that the schema allows.
    """
    return _columns(found, {feature.name: feature for feature in features}, source)


def check_target(found: Read, target: TargetSays, source: str) -> pd.DataFrame:
    """The target alone, typed as `check` has it.

    Raises:
        DataError: its column is missing or there twice, or a value is none that it may have.
    """
    return _columns(found, {target.column: target}, source)


def _columns(found: Read, says: Mapping[str, Says | None], source: str) -> pd.DataFrame:
    """These columns, each as it is described; one of which nothing is said only splits or groups the rows."""
    names = [str(name) for name in found.table.columns]
    _check_names(names, list(says), source)
    raw = found.table.set_axis(names, axis=1)
    columns, faults = {}, []
    for name, said in says.items():
        columns[name], wrong = (raw[name], []) if said is None else _by_kind(raw[name], said, found.decimal)
        if not getattr(said, "missing", False):
            wrong += _missing(raw[name])
        faults += [f"{name}, row {found.before + row + 1}: {what}" for row, what in sorted(wrong)]
    _refuse(faults, source)
    return pd.DataFrame(columns)


def _missing(column: pd.Series) -> list[values.Fault]:
    return [(int(row), "no value") for row in np.flatnonzero(column.isna())]


def _refuse(faults: list[str], source: str) -> None:
    if faults:
        more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise DataError(f"{source} has bad values: {'; '.join(faults[:SHOWN])}{more}.")


def _by_kind(column: pd.Series, says: Says, decimal: str) -> tuple[pd.Series, list[values.Fault]]:
    if says.kind == "boolean":
        return values.yes_no(column, getattr(says, "classes", ()))
    if says.kind == "category":
        return values.categories(column, says.classes if isinstance(says, TargetSays) else says.categories)
    return values.numbers(column, decimal, says.low, says.high, whole=says.kind == "integer")


def check_rows(table: pd.DataFrame, description: Table, source: str) -> None:
    """There must be enough different rows, of each class too, and something to learn.

    Raises:
        DataError: there are not.
    """
    different = len(table.drop_duplicates())
    if different < FEWEST_ROWS:
        others = f", {different} of them different" if different < len(table) else ""
        raise DataError(f"{source} has {len(table)} rows{others}; at least {FEWEST_ROWS} different ones are needed.")
    target = table[description.target.column]
    if target.nunique() == 1:
        raise DataError(f"{source} has {target.name} {target.iloc[0]} in every row: there is nothing to learn.")
    if description.target.kind != "number":
        counts = target.value_counts()
        rare = [f"{name} ({count})" for name, count in counts.items() if count < FEWEST_OF_A_CLASS]
        if rare:
            raise DataError(
                f"{source} has too few rows of {', '.join(rare)}; {FEWEST_OF_A_CLASS} of each class are needed: leave "
                "the class away, or put it together with another."
            )


def _check_names(names: list[str], wanted: list[str], source: str) -> None:
    counts = Counter(names)
    if twice := [name for name in wanted if counts[name] > 1]:
        raise DataError(f"{source} has more than one column named {', '.join(twice)}: keep one of each.")
    if not (missing := [name for name in wanted if name not in counts]):
        return
    hint = ""
    others = {name.strip().casefold(): name for name in names}
    if near := [f"{others[name.casefold()]!r} is not {name}" for name in missing if name.casefold() in others]:
        hint = f" Names are taken as they are written: {', '.join(near)}."
    elif pd.to_numeric(pd.Series(names), errors="coerce").notna().all():
        hint = " These look like values: the first line must be the columns' names."
    raise DataError(
        f"{source} lacks the columns {', '.join(missing[:MOST_NAMES])}; it has {listed(names)}; "
        f"needed are {listed(wanted)}.{hint}"
    )
