"""A table in parts made ready: its parts compared, its sides cut, all of its rows checked once, samples taken."""

import logging
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from training import prepared
from training.errors import DataError
from training.fitting.facts import Sampled
from training.fitting.progress import LINE_SECONDS
from training.in_parts.places import Place
from training.in_parts.sides import Side, Sides, cut, values_of
from training.in_parts.survey import Survey, rows_of, survey
from training.prepared import Prepared
from training.rows.checks import check_rows
from training.rows.data import Dataset
from training.rows.parts import Part, Parts
from training.rows.splitting import Split
from training.tables.description import Table

log = logging.getLogger(__name__)


class Ready(NamedTuple):
    """A table in parts of which everything is known that a training must know before it learns."""

    prepared: Prepared
    """The samples that stand for it, and the counts of all rows."""
    choose: pd.DataFrame
    """Cleaned rows that are not learned from, to choose the best of those that learned from everything."""
    sides: Sides
    parts: list[Part]
    """Those with rows that are learned from."""


def prepare(table: Parts, description: Table, place: Place) -> Ready:
    """Read all parts once.

    Args:
        table: the parts.
        description: of the table.
        place: where they are read.

    Raises:
        DataError: a part is unlike the others, has bad values or cannot be read, or there are too few rows.
    """
    parts = table.parts
    _refuse_others(parts, place.each(Part.types, parts), description)
    sides = _sides(parts, description, place)
    found, last_line = Survey(), time.monotonic()
    for number, one in enumerate(place.each(partial(survey, description=description, sides=sides), parts), 1):
        found.merge(one)
        if time.monotonic() - last_line > LINE_SECONDS:
            last_line = time.monotonic()
            log.info("Checking: %s rows in %d of %d parts", f"{found.rows:,}", number, len(parts))
    learned = [part for part, rows in zip(parts, found.learned, strict=True) if rows]
    choose = found.samples[Side.CHOOSE].table()
    return Ready(_prepared(found, choose, table.source, description), choose, sides, learned)


def first_held_out(parts: Sequence[Part], description: Table, place: Place) -> pd.Series:
    """The first row, in the parts' order, that a training does not see.

    Raises:
        DataError: there is none.
    """
    sides = _sides(parts, description, place)
    for part in parts:
        for table, _, where in rows_of(part, description, sides):
            if (held_out := np.flatnonzero(where == Side.HELD_OUT)).size:
                row: pd.Series = table.iloc[held_out[0]]
                return row
    raise DataError(f"No row of {parts[0].name} and the parts after it is held out: there are too few.")


def _sides(parts: Sequence[Part], description: Table, place: Place) -> Sides:
    if description.split.by == "random":
        return cut(description.split, [])
    return cut(description.split, place.each(partial(values_of, description=description), parts))


def _refuse_others(parts: Sequence[Part], types: Iterable[dict[str, str]], description: Table) -> None:
    """All parts must have the columns, of the same kind; what a CSV has is seen as it is read."""
    known: dict[str, tuple[str, str]] = {}
    for part, found in zip(parts, types, strict=True):
        for column in description.columns if found else ():
            if column not in found:
                beside = f", which {known[column][1]} has" if column in known else ""
                raise DataError(f"{part.name} lacks the column {column}{beside}; it has {', '.join(found)}.")
            if not found[column]:  # nothing but missing values
                continue
            kind, first = known.setdefault(column, (found[column], part.name))
            if found[column] != kind:
                raise DataError(
                    f"{part.name} has {column} as {found[column]}, and {first} as {kind}: "
                    "write all parts with the same types."
                )


def _prepared(found: Survey, choose: pd.DataFrame, source: str, description: Table) -> Prepared:
    train, calibrate, held_out = (found.samples[side].table() for side in (Side.LEARN, Side.CALIBRATE, Side.HELD_OUT))
    counts = dict(zip(Side, found.cleaned.tolist(), strict=True))
    if not all(counts.values()):
        raise DataError(
            f"{source} has {found.rows:,} rows, too few to train in parts: of those that are "
            f"{', '.join(side.name.lower().replace('_', ' ') for side in Side if not counts[side])} none is left. "
            "Put them into one file."
        )
    check_rows(train, description, f"The sample of {len(train):,} training rows of {source}")
    kept = pd.concat([train, choose, calibrate, held_out], ignore_index=True)
    ready = Prepared(
        Dataset(kept, source, found.sha256),
        Split(train, held_out),
        train,
        data_rows=found.rows,
        train_rows=counts[Side.LEARN],
        test_rows=counts[Side.HELD_OUT],
        repeated_rows=round(found.fingerprints.repeated() * found.rows),
        removed={rule.name: found.removed[rule.name] for rule in description.cleaning},
        ranges=found.ranges,
        sampled=Sampled(len(found.parts), len(train), len(choose), len(calibrate), len(held_out)),
        calibrate=calibrate,
    )
    log.info(
        "%s rows in %d parts from %s, sha256 %s...", f"{found.rows:,}", len(found.parts), source, found.sha256[:12]
    )
    prepared.say(ready, int(found.counts[: Side.HELD_OUT].sum()))
    log.info(
        "%s rows are learned from, %s choose among the best candidates, %s set the intervals, %s are held out",
        *(f"{counts[side]:,}" for side in Side),
    )
    log.info(
        "Kept in memory as samples: %s rows to search on, %s to choose by, %s to set intervals on, %s to judge by",
        *(f"{len(table):,}" for table in (train, choose, calibrate, held_out)),
    )
    prepared.check(ready, description)
    return ready
