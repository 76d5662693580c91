"""`score`: a whole table, predicted offline with a published model, on this machine or on a Dask cluster."""

import logging
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import click

from api.errors import ServiceError
from training.errors import ScoreError

if TYPE_CHECKING:
    from api.scoring.part import Job, Outcome
    from api.scoring.progress import Progress


@click.command()
@click.argument("model", metavar="DIR|s3://BUCKET/…")
@click.option("--data", required=True, metavar="FILE|DIR|'PATTERN'", help="CSV or Parquet, here or in s3://…")
@click.option("--out", required=True, metavar="DIR|s3://BUCKET/…", help="Where the scores go.")
@click.option("--keep", metavar="A,B", help="Columns to keep beside them. [default: all that are no features]")
@click.option("--processes", type=click.IntRange(1), metavar="N", help="On this machine. [default: one for each core]")
@click.option("--cluster", metavar="tcp://HOST:PORT", help="Score the parts on a Dask cluster.")
def score(*, model: str, data: str, out: str, keep: str | None, processes: int | None, cluster: str | None) -> int:
    """Predict a whole table with a published version: Parquet or CSV in, Parquet out.

    The answers are those of POST /predict, to the bit, and so is what is refused: it goes to _refused in --out. The
    same command again goes on where the last one ended.
    """
    from api.scoring.processes import Local, cores
    from api.scoring.run import Request
    from api.scoring.run import score as scored

    logging.getLogger("api").setLevel(logging.INFO)
    try:
        summary = scored(Request(model, data, out, keep), Cluster(cluster) if cluster else Local(processes or cores()))
    except ServiceError as error:
        raise ScoreError(str(error)) from error
    click.echo(f"{summary}.")
    return summary.code


class Cluster:
    """Scores parts on a Dask cluster, whose workers read the data and write the scores themselves."""

    def __init__(self, address: str) -> None:
        self.address = address

    def __call__(self, job: "Job", names: Sequence[str], progress: "Progress") -> "Iterator[Outcome]":
        """Score the parts, each on whichever worker is free; one that is lost is scored by another worker.

        Raises:
            ScoringError: one cannot be scored.
            TrainingError: the cluster cannot be reached, or a part ended several workers.
        """
        from training.fitting.search import connected

        distributed = import_module("distributed")
        with connected(self.address) as client:
            # As the result of a task it is made again if its worker is lost, which what is scattered is not.
            sent = client.submit(_itself, job, pure=False)
            futures = client.map(_score, names, job=sent, pure=False)
            try:
                for _, outcome in distributed.as_completed(futures, with_results=True):
                    progress.add(outcome.fresh * (outcome.rows + outcome.refused))
                    yield outcome
            except distributed.KilledWorker as error:
                raise ScoreError(
                    f"A part ended every worker that scored it, most likely for want of memory: {error}"
                ) from error


def _itself(job: "Job") -> "Job":
    return job


def _score(name: str, job: "Job") -> "Outcome":
    from api.scoring.part import Scorer

    return Scorer(job).score(name, lambda _: None)
