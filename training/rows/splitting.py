"""Who may see which rows, decided before anything is looked at. Rows that are the same are never on two sides."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    PredefinedSplit,
    StratifiedKFold,
    train_test_split,
)

from training.tables.description import GroupsSays, Table

SEED = 42
"""Fixed whatever `--seed` says: two models can only be compared on the same held-out rows."""

Places = npt.NDArray[np.integer]


class Split(NamedTuple):
    """The training rows, and the held-out rows that neither fitting nor choosing a model ever sees."""

    train: pd.DataFrame
    test: pd.DataFrame


def numbered(table: pd.DataFrame) -> Places:
    """A number for each row, in the order of their first appearance: the same for rows of the same values.

    Rows are told apart by a hash of 64 bits.
    """
    return pd.factorize(pd.util.hash_pandas_object(table, index=False))[0]


def split(table: pd.DataFrame, description: Table) -> Split:
    """Hold out rows as the description says.

    At random; where no row is repeated it is scikit-learn's `train_test_split`, by class where there are classes. By
    groups, none of which is on both sides. Or in time: the last rows.
    """
    says = description.split
    if says.by == "time":
        order = table[says.column].argsort(kind="stable").to_numpy(np.intp)
        held_out = _same_side(table, order[len(order) - round(len(order) * says.held_out) :])
    elif says.by == "group":
        shuffle = GroupShuffleSplit(1, test_size=says.held_out, random_state=SEED)
        held_out = _same_side(table, next(shuffle.split(table, groups=table[says.column]))[1])
    else:
        return _at_random(table, description)
    test = np.zeros(len(table), np.bool_)
    test[held_out] = True
    return Split(table[~test], table[test])


def _at_random(table: pd.DataFrame, description: Table) -> Split:
    numbers = numbered(table)
    first = np.unique(numbers, return_index=True)[1]
    classes = None
    if description.target.kind != "number":
        classes = table[description.target.column].iloc[first]
    places = pd.Series(np.arange(len(table)), index=numbers)
    train, test = train_test_split(
        np.arange(len(first)), test_size=description.split.held_out, random_state=SEED, stratify=classes
    )
    return Split(table.iloc[places.loc[train]], table.iloc[places.loc[test]])


def _same_side(table: pd.DataFrame, held_out: Places) -> Places:
    """The held-out rows without those that are also on the other side: what was learned there is known."""
    numbers = numbered(table)
    others = np.delete(numbers, held_out)
    return held_out[~np.isin(numbers[held_out], others)]


def folds_of(table: pd.DataFrame, description: Table, folds: int) -> PredefinedSplit:
    """Folds for cross-validation, each row in one; where no row is repeated those of scikit-learn.

    At random as `KFold` has them (`StratifiedKFold` of classes), by groups as `GroupKFold`, in time in blocks.
    """
    says = description.split
    if says.by == "group":
        return PredefinedSplit(_fold_numbers(GroupKFold(folds).split(table, groups=table[says.column]), len(table)))
    if says.by == "time":
        order = table[says.column].argsort(kind="stable").to_numpy()
        blocks = np.empty(len(table), np.intp)
        blocks[order] = np.repeat(np.arange(folds), [len(part) for part in np.array_split(order, folds)])
        return PredefinedSplit(blocks)
    numbers = numbered(table)
    first = np.unique(numbers, return_index=True)[1]
    if description.target.kind == "number":
        parts = KFold(folds).split(first)
    else:
        parts = StratifiedKFold(folds).split(first, table[description.target.column].iloc[first])
    return PredefinedSplit(_fold_numbers(parts, len(first))[numbers])


def _fold_numbers(parts: Iterable[tuple[Any, Any]], rows: int) -> Places:
    numbers = np.empty(rows, np.intp)
    for number, (_, held_out) in enumerate(parts):
        numbers[held_out] = number
    return numbers


def groups_of(table: pd.DataFrame, says: GroupsSays) -> Places:
    """The group of each row, for the second cross-validation."""
    columns = [table[name] // says.width if says.width else table[name] for name in says.columns]
    return table.groupby(columns, observed=True, dropna=False).ngroup().to_numpy(np.intp)
