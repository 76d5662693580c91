"""The rows that no model should learn from, by fixed rules that look at nothing but the row itself."""

from typing import NamedTuple

import pandas as pd


class Rule(NamedTuple):
    """Rows that meet `condition`, an expression of pandas over the columns, are dropped."""

    name: str
    condition: str
    why: str


RULES = (
    Rule("absurd_rooms", "AveRooms > 50", "more than 50 rooms per household: resorts and empty houses, not homes"),
    Rule("absurd_bedrooms", "AveBedrms > 10", "more than 10 bedrooms per household: the same"),
    Rule("absurd_occupancy", "AveOccup > 20", "more than 20 people per household: barracks, prisons and dormitories"),
)


class Cleaned(NamedTuple):
    """The rows that are left, and how many each rule removed, in the order of the rules."""

    table: pd.DataFrame
    removed: dict[str, int]


def clean(table: pd.DataFrame) -> Cleaned:
    """Apply the rules one after another; a row counts for the first rule that removes it."""
    removed = {}
    for rule in RULES:
        kept = table.query(f"not ({rule.condition})")
        removed[rule.name] = len(table) - len(kept)
        table = kept
    return Cleaned(table, removed)
