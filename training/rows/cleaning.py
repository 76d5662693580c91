"""Leaves out the rows that no model should learn from, by the description's rules."""

from typing import NamedTuple

import pandas as pd

from training.errors import DataError
from training.tables.description import CleaningRule


class Cleaned(NamedTuple):
    """The rows that are left, and how many each rule removed, in the order of the rules."""

    table: pd.DataFrame
    removed: dict[str, int]


def clean(table: pd.DataFrame, rules: tuple[CleaningRule, ...]) -> Cleaned:
    """Apply the rules one after another; a row counts for the first rule that removes it.

    Raises:
        DataError: a rule is no expression over the columns.
    """
    removed = {}
    for rule in rules:
        try:
            kept = table.query(f"not ({rule.drop})")
        except Exception as error:
            raise DataError(f"The cleaning rule {rule.name} cannot be applied: {rule.drop!r}: {error}") from error
        removed[rule.name] = len(table) - len(kept)
        table = kept
    return Cleaned(table, removed)
