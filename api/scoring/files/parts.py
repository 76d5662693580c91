"""The parts that a table lies in: one file, all of a folder, or those that a pattern names; here or in S3."""

import re
from typing import NamedTuple

from api.errors import ScoringError
from api.scoring.files.opening import place
from api.scoring.files.places import Place

PARQUET = ".parquet"
KINDS = (PARQUET, ".csv", ".tsv", ".txt")
PATTERN = re.compile(r"[*?\[]")
EVERYTHING = "**/*"


class Table(NamedTuple):
    """The parts of a table, sorted by name."""

    place: Place
    names: list[str]
    pattern: re.Pattern[str]
    """That the names of all parts match."""


def find(data: str) -> Table:
    """The parts that `data` names: a file, a folder or a pattern such as `s3://BUCKET/PREFIX/*.parquet`.

    `**` stands for any folders. Empty files are none of a table, nor files and folders whose names begin with '.' or
    '_'.

    Raises:
        ScoringError: there is none, or a file that was named is of no kind that can be read.
    """
    if (found := PATTERN.search(data)) is None:
        return _exactly(data)
    start = data.rfind("/", 0, found.start()) + 1
    root, pattern = data[:start] or ".", data[start:]
    return _matching(place(root), pattern, data)


def _exactly(data: str) -> Table:
    """One file where there is one of this name, else a folder."""
    folder, _, name = data.rstrip("/").rpartition("/")
    if name and kind(name) and not data.endswith("/"):
        parent = place(folder + "/" if folder or data.startswith("/") else ".")
        if parent.tail(name, 1) is not None:
            return Table(parent, [name], re.compile(re.escape(name)))
    return _matching(place(data), EVERYTHING, data)


def _matching(root: Place, pattern: str, data: str) -> Table:
    wanted = _expression(pattern)
    names = [name for name in root.names() if wanted.fullmatch(name) and not hidden(name)]
    readable = [name for name in names if kind(name)]
    if not readable:
        raise ScoringError(f"{data} names no files: give a {', '.join(KINDS)} file, a folder of them or a pattern")
    if len({kind(name) == PARQUET for name in readable}) > 1:
        raise ScoringError(f"{data} has both CSV and Parquet, as if the same rows twice: name one kind, '*.parquet'")
    if pattern != EVERYTHING and (others := [name for name in names if not kind(name)]):
        raise ScoringError(f"{root.where(others[0])} is none of {', '.join(KINDS)}: let the pattern name these alone")
    return Table(root, readable, wanted)


def kind(name: str) -> str:
    """The file's ending among `KINDS`, compressed or not; empty if it has none of them."""
    return next((ending for ending in KINDS if name.lower().removesuffix(".gz").endswith(ending)), "")


def scores_name(name: str) -> str:
    """What the file of a part's scores is called."""
    return name if name.endswith(PARQUET) else f"{name}.parquet"


def refuse_within(table: Table, out: Place) -> None:
    """Refuse a place for scores where they would replace parts of the table, or be taken for some.

    Raises:
        ScoringError: it is such a place.
    """
    data, scores = (f"{place.where().rstrip('/')}/" for place in (table.place, out))
    within = scores.removeprefix(data) if scores.startswith(data) else None
    if within is None:
        return
    written = [within + scores_name(name) for name in table.names]
    if not within or any(table.pattern.fullmatch(name) and not hidden(name) for name in written):
        raise ScoringError(f"{out.where()} is where the data is: the next run would score the scores. Give another one")


def hidden(name: str) -> bool:
    """Whether a file is none of a table, by its name or that of a folder above it."""
    return any(part.startswith((".", "_")) for part in name.split("/"))


def _expression(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression: `*` and `?` stay within a folder, `**` is any number of folders."""
    steps = ["(?:[^/]+/)*" if step == "**" else f"{_step(step)}/" for step in pattern.split("/")]
    return re.compile("".join(steps).removesuffix("/"))


def _step(step: str) -> str:
    stands_for = {"*": "[^/]*", "?": "[^/]"}
    return "".join(
        stands_for.get(each) or (each.replace("[!", "[^", 1) if len(each) > 1 and each[0] == "[" else re.escape(each))
        for each in re.split(r"(\*|\?|\[[^\]]+\])", step)
    )
