"""Scores one part: its answers in a Parquet file, what was refused of it in a file of JSON lines beside them."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from api.errors import ScoringError
from api.model.model import Model
from api.rows.reader import RowReader
from api.scoring.answers import AnswerColumns
from api.scoring.files.opening import place
from api.scoring.files.parts import scores_name
from api.scoring.files.reading import Batch, Part, open_part
from api.scoring.marks import Mark
from api.scoring.rows import PartReader, Refusal

ROW_NUMBER = "row_number"
REFUSED = "_refused"
"""The folder of what was refused: readers of whole folders leave those out whose names begin so."""
COMPRESSION = "zstd"
NOT_FINITE = "the model predicted something that is not a finite number"

Progress = Callable[[int], None]
"""Is told of each batch how many rows it had; ends the scoring if it raises."""

_encode = msgspec.json.Encoder().encode


class Job(NamedTuple):
    """What every part of a table is scored with; goes to other processes and machines."""

    model: Model
    digest: str
    """The sha256 of the model's manifest."""
    data: str
    out: str
    keep: tuple[str, ...] | None
    """The columns that are kept beside the answers; None: all that are no features."""


class Outcome(NamedTuple):
    """What came of a part."""

    name: str
    rows: int
    """That were answered."""
    refused: int
    """Rows that were not."""
    fresh: bool
    """Whether it was scored now rather than before."""


class Scorer:
    """Scores the parts of one table."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.data, self.out = place(job.data), place(job.out)
        self.reader = RowReader(job.model.schema)
        self.answers = AnswerColumns(job.model)

    def score(self, name: str, progress: Progress) -> Outcome:
        """Score a part, unless its scores are there already: whole, of the same rows and by the same model.

        Raises:
            ScoringError: it cannot be read, or has not the columns that the model needs.
            OSError: its scores cannot be written.
        """
        job = self.job
        source = self.data.identity(name)
        mark = Mark(f"{job.model.schema.name} {job.model.version}", job.digest, job.keep, source)
        refused = f"{REFUSED}/{name}.jsonl"
        found = Mark.read(self.out, scores_name(name))
        if found and found.counted(0, 0) == mark and (not found.refused or self.out.tail(refused, 1)):
            return Outcome(name, found.rows, found.refused, fresh=False)
        with self.out.scratch() as scratch:
            with self.data.copied(name, source) as file:
                part = open_part(file, name)
                mark = _Writing(self, part, name, scratch).write(mark, progress)
            # The scores come last: with them the part is done.
            if mark.refused:
                self.out.put(refused, scratch / "refused")
            else:
                self.out.remove(refused)
            self.out.put(scores_name(name), scratch / "scores")
        return Outcome(name, mark.rows, mark.refused, fresh=True)


class _Writing:
    """The files of one part, while they are written."""

    def __init__(self, scorer: Scorer, part: Part, name: str, scratch: Path) -> None:
        self.part, self.name, self.scratch = part, name, scratch
        self.model, self.answers = scorer.job.model, scorer.answers
        self.reader = PartReader(name, part, scorer.reader, self.model.schema)
        self.kept = self._kept(scorer.job.keep)
        self.schema = pa.schema(
            [*(part.schema.field(name) for name in self.kept), pa.field(ROW_NUMBER, pa.int64()), *self.answers.fields]
        )

    def write(self, mark: Mark, progress: Progress) -> Mark:
        rows = refused = 0
        columns = list(dict.fromkeys([*self.kept, *self.reader.columns]))
        with (
            (self.scratch / "refused").open("wb") as refusals_file,
            pq.ParquetWriter(self.scratch / "scores", self.schema, compression=COMPRESSION) as scores_file,
        ):
            for batch in self.part.batches(columns):
                scores, refusals = self._score(batch)
                scores_file.write_batch(scores)
                refusals_file.writelines(_encode(refusal) + b"\n" for refusal in refusals)
                rows += len(scores)
                refused += len({refusal.row_number for refusal in refusals})
                progress(len(batch.columns) + len(batch.torn))
            scores_file.add_key_value_metadata((mark := mark.counted(rows, refused)).written())
        return mark

    def _score(self, batch: Batch) -> tuple[pa.RecordBatch, list[Refusal]]:
        """The answers to the rows that the service would answer, and what is wrong with the others."""
        rows, sound, refusals = self.reader.read(batch)
        numbers = np.array(batch.numbers, np.int64)
        predicted = self.model.predict(rows[sound])
        infinite = ~np.isfinite(predicted.reshape(len(predicted), -1)).all(axis=1)
        if infinite.any():
            refusals += [Refusal(self.name, number, "", NOT_FINITE) for number in numbers[sound][infinite].tolist()]
            predicted = predicted[~infinite]
            sound[sound] = ~infinite
        kept = batch.columns.select(self.kept).filter(pa.array(sound)).columns
        answers = self.answers.make(rows[sound], predicted)
        return pa.RecordBatch.from_arrays([*kept, pa.array(numbers[sound]), *answers], schema=self.schema), refusals

    def _kept(self, keep: tuple[str, ...] | None) -> list[str]:
        names, features = self.part.schema.names, self.model.schema.names
        if keep and (unknown := [name for name in keep if name not in names]):
            raise ScoringError(f"{self.name} has no column {unknown[0]!r}, which is to be kept")
        kept = [name for name in names if name not in features] if keep is None else list(keep)
        for name in {*kept, *self.reader.columns}:
            if names.count(name) > 1:
                raise ScoringError(f"{self.name} has more than one column {name!r}: rename one of them")
        own = {ROW_NUMBER, *(field.name for field in self.answers.fields)}
        if taken := [name for name in kept if name in own]:
            raise ScoringError(
                f"{self.name} has a column {taken[0]!r}, and so have the scores: name the columns to keep without it, "
                "--keep NAME,NAME"
            )
        return kept
