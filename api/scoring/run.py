"""Scores a table: a model from its store, the parts one after the other, what is done already left as it is."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from api.errors import ScoringError
from api.model.model import Model
from api.scoring.files import parts
from api.scoring.files.opening import place
from api.scoring.files.places import S3, Place
from api.scoring.part import REFUSED, Job, Outcome
from api.scoring.progress import Progress
from api.store import manifest
from api.store.fetch import fetch
from api.store.opening import open_store

log = logging.getLogger(__name__)

OWNER = "_scoring.json"
"""Says whose scores lie in a place: written first, and by nobody else."""

_INSTEAD = "give another place, or remove what is there"

SOME_REFUSED = 4
"""Exit code: all is scored but the rows that were refused."""

Runner = Callable[[Job, Sequence[str], Progress], Iterable[Outcome]]
"""Scores the parts of these names, in any order."""


class Request(NamedTuple):
    """What is to be scored, with what, and to where."""

    model: str
    """A published version's directory, `s3://BUCKET/PREFIX/…` or a path."""
    data: str
    """A file, a folder or a pattern."""
    out: str
    keep: str | None = None
    """The columns to keep, separated by commas; None: all that are no features."""
    sha256: str = ""
    """Of the model's manifest; empty: whichever is there."""


class Summary(NamedTuple):
    """What came of a run."""

    where: str
    parts: int
    rows: int
    """That were answered, now or before."""
    refused: int
    """Rows that were not."""

    def __str__(self) -> str:
        refused = f"{self.refused:,} were refused, see {self.where}{REFUSED}" if self.refused else "none was refused"
        return f"{self.rows:,} rows of {self.parts:,} parts are scored in {self.where}; {refused}"

    @property
    def code(self) -> int:
        """The exit code."""
        return SOME_REFUSED if self.refused else 0


class _Owner(msgspec.Struct, frozen=True):
    model: str
    version: str
    digest: str
    keep: tuple[str, ...] | None


def published(location: str, sha256: str = "") -> tuple[Model, str]:
    """The model of a published version, verified as the service verifies it, and its manifest's sha256.

    Args:
        location: its directory, `s3://BUCKET/PREFIX/…` or a path.
        sha256: of its manifest; empty: any.

    Raises:
        ServiceError: there is none, or it is not to be relied on.
    """
    bucket, path = "", location
    if location.startswith(S3):
        bucket, _, path = location.removeprefix(S3).partition("/")
    fetched = fetch(open_store(bucket, path.rstrip("/") or path), sha256, allow_unverified=False)
    if fetched.manifest is None:
        raise ScoringError(f"{fetched.where} has no manifest: publish the model, so that its version can be named")
    return Model.load(fetched), manifest.identity(manifest.encode(fetched.manifest))


def score(request: Request, runner: Runner) -> Summary:
    """Score a table.

    Raises:
        ServiceError: the model, the table or the place for the scores will not do; the message says why.
        OSError: the scores cannot be written.
    """
    table = parts.find(request.data)
    scores = place(request.out)
    parts.refuse_within(table, scores)
    model, digest = published(request.model, request.sha256)
    log.info("model %s %s from %s", model.schema.name, model.version, model.where)
    keep = None if request.keep is None else tuple(name for name in request.keep.split(",") if name)
    _own(scores, table, _Owner(model.schema.name, model.version, digest, keep))
    progress = Progress(len(table.names))
    job = Job(model, digest, table.place.where(), scores.where(), keep)
    outcomes = [progress.done(outcome) for outcome in runner(job, table.names, progress)]
    rows, refused = sum(each.rows for each in outcomes), sum(each.refused for each in outcomes)
    return Summary(f"{scores.where().rstrip('/')}/", len(outcomes), rows, refused)


def _own(scores: Place, table: parts.Table, owner: _Owner) -> None:
    """Take a place for the scores of this model and these parts, or go on with it.

    Raises:
        ScoringError: other files lie there.
    """
    there = scores.names()
    expected = {parts.scores_name(name) for name in table.names}
    if len(expected) < len(table.names):
        raise ScoringError(f"two parts in {table.place.where()} differ only in .parquet at their end: rename one")
    visible = [name for name in there if not parts.hidden(name)]
    if visible and OWNER not in there:
        raise ScoringError(f"{scores.where()} has files, and no {OWNER} says of which model: {_INSTEAD}")
    if foreign := [name for name in visible if name not in expected]:
        raise ScoringError(f"{scores.where(foreign[0])} is no score of a part in {table.place.where()}: {_INSTEAD}")
    wanted = msgspec.json.encode(owner) + b"\n"
    if (found := scores.create(OWNER, wanted)) != wanted:
        raise ScoringError(
            f"{scores.where()} has the scores of another model, or with other columns kept ({_shown(found)}, not "
            f"{_shown(wanted)}): {_INSTEAD}"
        )


def _shown(owner: bytes) -> str:
    try:
        found = msgspec.json.decode(owner, type=_Owner)
    except msgspec.DecodeError:
        return "unreadable"
    kept = "" if found.keep is None else f", keeping {', '.join(found.keep) or 'nothing'}"
    return f"{found.model} {found.version} {found.digest[:8]}{kept}"
