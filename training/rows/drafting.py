"""Drafts a table's description from a file: what can be told from the rows, and what a person must decide."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
from scipy import stats

from training.errors import DataError
from training.rows import values
from training.rows.columns import Column, look_at
from training.rows.files import Read
from training.tables.description import FeatureSays, TargetSays

GIVES_AWAY = 0.995
"""A feature that alone explains this share of the target was probably made from it."""

MOST_CLASSES = 20
SKEWED = 2.0
CAPPED = 0.02
"""Share of the rows at one end of the target's range that looks cut off."""


def draft(found: Read, target: str, file: Path) -> str:
    """The description as TOML, with remarks; valid as it stands.

    Raises:
        DataError: the table has no such target, or none that can be predicted.
    """
    names = [str(name) for name in found.table.columns]
    if target not in names:
        raise DataError(f"{file} has no column {target!r}; it has {', '.join(names[:20])}.")
    if names.count(target) > 1:
        raise DataError(f"{file} has more than one column named {target}: keep one.")
    if not len(found.table):
        raise DataError(f"{file} has no rows below the columns' names.")
    table = found.table.set_axis(names, axis=1).loc[:, ~pd.Index(names).duplicated()]
    says, remarks = _target(table[target], target, found.decimal)
    looked = [
        look_at(table[name], name, found.decimal)
        if names.count(name) == 1
        else Column(name, None, "stands in the file more than once: keep one of each")
        for name in table.columns
        if name != target
    ]
    looked = [_without_answers(column, table, says, found.decimal) for column in looked]
    if not any(column.says for column in looked):
        why = "; ".join(f"{column.name} {column.remark}" for column in looked[:20])
        raise DataError(f"{file} has no column that a model could learn {target} from: {why or 'it has no other'}.")
    return "\n".join(_lines(draft_name(file), says, remarks, looked, file, found)) + "\n"


def _lines(
    name: str, target: TargetSays, remarks: list[str], looked: list[Column], file: Path, found: Read
) -> Iterator[str]:
    yield f"# Drafted from {file.name} ({found.recognised}), {len(found.table):,} rows. Read it, and correct it."
    yield "# What each key means: docs/tables.md."
    yield f"name = {_toml(name)}"
    yield ""
    yield from (f"# {remark}" for remark in remarks)
    yield "[target]"
    yield from _keys(target)
    for column in looked:
        yield ""
        header = f"[features.{_key(column.name)}]"
        if column.says is None:
            yield f"# {header} is left out: it {column.remark}."
            continue
        if column.remark:
            yield f"# {column.remark}"
        yield header
        yield from _keys(column.says)


def _keys(says: msgspec.Struct) -> Iterator[str]:
    for field in msgspec.structs.fields(says):
        value = getattr(says, field.name)
        if value != field.default:
            yield f"{field.name} = {_toml(value)}"


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, float):
        return f"{value:.10g}"
    # JSON's strings are TOML's, but for one character that JSON need not escape.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def draft_name(file: Path) -> str:
    """The name of the model of a file's table."""
    stem = file.name.partition(".")[0].lower()
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:63] or "table"


def _target(column: pd.Series, name: str, decimal: str) -> tuple[TargetSays, list[str]]:
    present = column.dropna()
    if len(present) < len(column):
        raise DataError(
            f"{name} has no value in {len(column) - len(present)} of {len(column)} rows: what is to be predicted must "
            "be known. Leave those rows out of the file."
        )
    texts = present.map(values.written)
    distinct = sorted(texts.unique())
    if len(distinct) < 2:
        raise DataError(
            f"{name} is {distinct[0] if distinct else 'missing'!r} in every row: there is nothing to learn."
        )
    typed, faults = values.numbers(present, decimal, None, None, whole=False)
    if values.only_grouped(faults):
        row, what = faults[0]
        raise DataError(f"{name}, row {row + 1}: {what}.")
    if len(distinct) == 2:
        if not values.yes_no(present)[1]:
            return TargetSays(column=name, kind="boolean"), []
        remark = f"{distinct[1]!r} counts as yes: turn the classes round if the other one does."
        return TargetSays(column=name, kind="boolean", classes=tuple(distinct)), [remark]
    if faults:
        if len(distinct) > MOST_CLASSES:
            row, what = faults[0]
            raise DataError(
                f"{name} has {len(distinct)} different texts: it is neither a number (row {row + 1}: {what}) nor one "
                f"of at most {MOST_CLASSES} classes."
            )
        return TargetSays(column=name, kind="category", classes=tuple(distinct)), []
    number_of = dict(zip(texts, typed, strict=True))
    whole = bool((typed == typed.round()).all()) and len(set(number_of.values())) == len(distinct)
    if whole and len(distinct) <= MOST_CLASSES // 2:
        # As the file writes them: 1.0 is read as no other class than 1.0.
        classes = tuple(sorted(distinct, key=number_of.__getitem__))
        remark = (
            f"It has {len(distinct)} different whole numbers: one of several classes, or a number (kind, no classes)?"
        )
        return TargetSays(column=name, kind="category", classes=classes), [remark]
    low = 0.0 if bool((typed >= 0).all()) else None
    return TargetSays(column=name, low=low), list(_target_remarks(typed))


def _target_remarks(target: pd.Series) -> Iterator[str]:
    skew = float(stats.skew(target.to_numpy("float64")))
    if skew > SKEWED and target.min() >= 0:
        objective = "reg:gamma" if target.min() > 0 else "reg:tweedie"
        yield f"It is skewed ({skew:.1f}): search.objective = {objective!r} may suit it better than squared errors."
    for end, word in ((target.max(), "highest"), (target.min(), "lowest")):
        share = float((target == end).mean())
        if share > CAPPED and target.nunique() > MOST_CLASSES:
            yield f"{share:.1%} of the rows have its {word} value, {end:g}: was it cut off there?"


def _without_answers(column: Column, table: pd.DataFrame, target: TargetSays, decimal: str) -> Column:
    """Leave out a feature that gives the target away."""
    if column.says is None:
        return column
    share = _explained(table[column.name], column.says, table[target.column], target, decimal)
    if share > GIVES_AWAY:
        return Column(column.name, None, f"gives the target away (alone it explains {share:.1%} of it)")
    return column


def _explained(feature: pd.Series, says: FeatureSays, target: pd.Series, kind: TargetSays, decimal: str) -> float:
    """The share of the target that the feature alone explains: by rank for numbers, by majority for groups."""
    if kind.kind == "number" and says.kind in ("number", "integer"):
        one = values.numbers(feature, decimal, None, None, whole=False)[0]
        other = values.numbers(target, decimal, None, None, whole=False)[0]
        return float(one.corr(other, method="spearman") ** 2)
    groups = feature.map(values.written)
    if groups.nunique() > len(groups) / 10:
        return 0.0
    if kind.kind == "number":
        numbers = values.numbers(target, decimal, None, None, whole=False)[0]
        spread = float(((numbers - numbers.mean()) ** 2).sum())
        within = float(((numbers - numbers.groupby(groups).transform("mean")) ** 2).sum())
        return 1 - within / spread if spread else 0.0
    labels = target.map(values.written)
    return float(labels.groupby(groups).agg(lambda group: group.value_counts().iloc[0]).sum() / len(labels))
