"""The parts on a Dask cluster: each worker reads its own, and together they grow the same trees.

The trees grow in XGBoost's communicator, as with `xgboost.dask`; but the workers read their parts into bins themselves,
where `xgboost.dask` would first hold all values in their memory, and the parts' order alone decides which worker gets
which. So the model depends on nothing but parts, seed and the number of workers.
"""

import logging
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from urllib.parse import urlsplit

import distributed
import xgboost
from xgboost.collective import CommunicatorContext
from xgboost.tracker import RabitTracker

from training.errors import TrainingError
from training.in_parts.learning import Work, learn
from training.rows.parts import Part

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds for as many workers to be there again as a training began with."""

TRIES = 3
POLL_SECONDS = 0.5
LAST_WORDS = 10.0
"""Seconds for the other workers to fail too, once one has: a lost one is seen late, and is the cause."""

COLLECTIVE_SECONDS = 1800
"""How long a worker waits for one that still reads."""

PACKAGES = ("xgboost", "pandas", "numpy", "pyarrow")
_SOURCES = Path(__file__).parents[2]
_tracker: RabitTracker | None = None

log = logging.getLogger(__name__)


class Cluster:
    """The workers of a Dask cluster."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def each(self, function: Callable[[Part], T], parts: Sequence[Part]) -> Iterator[T]:
        """See `Place.each`. No more parts are under way than the workers have threads."""
        waiting = deque(parts)
        running: deque[tuple[Part, Any]] = deque()
        while waiting or running:
            while waiting and len(running) < sum(self.client.nthreads().values() or [1]):
                part = waiting.popleft()
                running.append((part, self.client.submit(function, part.absolute(), pure=False)))
            part, future = running.popleft()
            with _explained(part.name):
                found: T = future.result()
            yield found

    def learn(self, parts: Sequence[Part], work: Work) -> list[bytearray]:
        """See `Place.learn`. The parts are dealt out in turn, to workers that are numbered.

        Where a worker is lost, all begin again, with as many workers as before.

        Raises:
            TrainingError: workers were lost again and again, or not enough are left.
        """
        count = min(len(parts), len(self.client.nthreads()))
        log.info("%d workers learn from %d parts", count, len(parts))
        for left in reversed(range(TRIES)):
            workers = self._workers(count)
            try:
                return self._learn(workers, parts, work)
            except _Lost as lost:
                if not left:
                    raise TrainingError(
                        f"The training broke off {TRIES} times, at last as {lost}. Is a worker short of memory?"
                    ) from lost
                log.info("Once more from the beginning: %s", lost)
        raise AssertionError

    def _workers(self, count: int) -> list[str]:
        deadline = time.monotonic() + PATIENCE
        while len(found := sorted(self.client.nthreads())) < count:
            if time.monotonic() > deadline:
                raise TrainingError(
                    f"The training began with {count} workers and {len(found)} are left: start others and train again."
                )
            time.sleep(POLL_SECONDS)
        return found[:count]

    def _learn(self, workers: Sequence[str], parts: Sequence[Part], work: Work) -> list[bytearray]:
        futures: list[Any] = []
        dealt = [part.absolute() for part in parts]
        try:
            started = self.client.run(_start_tracker, len(workers), urlsplit(workers[0]).hostname, workers=[workers[0]])
            futures = [
                self.client.submit(
                    _learn_of, dealt[rank :: len(workers)], work, started[workers[0]], rank,
                    workers=[worker], allow_other_workers=False, pure=False, retries=0,
                )
                for rank, worker in enumerate(workers)
            ]  # fmt: skip
            self._await(futures, workers)
            return next(found for found in self.client.gather(futures) if found)
        except (OSError, KeyError) as error:
            raise _Lost(f"a worker does not answer: {error}") from error
        finally:
            self.client.cancel(futures, force=True)

    def _await(self, futures: Sequence[Any], workers: Sequence[str]) -> None:
        """Until all have ended well."""
        failed_at = None
        while not all(future.status == "finished" for future in futures):
            if gone := set(workers) - set(self.client.nthreads()):
                raise _Lost(f"the worker {', '.join(sorted(gone))} was lost")
            failed = [future for future in futures if future.status in ("error", "cancelled", "lost")]
            for future in failed:
                if isinstance(error := future.exception(), TrainingError):
                    raise error
            failed_at = failed_at or (time.monotonic() if failed else None)
            if failed_at and time.monotonic() - failed_at > LAST_WORDS:
                raise _Lost(f"a worker failed: {' '.join(str(failed[0].exception()).split())[:500]}")
            time.sleep(POLL_SECONDS)


def check(client: Any, parts: Sequence[Part]) -> None:
    """Put this very program on the workers of a Dask client, and see that each of them can read the parts.

    Raises:
        TrainingError: there are no workers, or one has other packages or cannot read the first part.
    """
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        raise TrainingError(f"The cluster at {client.scheduler.address} has no workers: start some.") from error
    with TemporaryDirectory() as folder:
        client.upload_file(_archive(Path(folder)))
    ours = {name: _version(name) for name in PACKAGES}
    for worker, found in client.run(_look, parts[0].absolute(), on_error="return").items():
        if isinstance(found, Exception):
            raise TrainingError(
                f"The worker {worker} cannot read {parts[0].name}: {' '.join(str(found).split())}. Workers read the "
                "parts themselves, from S3 or a folder that all have, with the packages of requirements/training.txt."
            )
        if found != ours:
            raise TrainingError(f"The worker {worker} has {found}, and this machine {ours}: install the same.")


class _Lost(Exception):
    """A worker is gone, with what it had learned."""


def _archive(folder: Path) -> str:
    """This program, for workers that were started elsewhere."""
    for package in ("training", "api"):
        shutil.copytree(
            _SOURCES / package, folder / "sources" / package, ignore=shutil.ignore_patterns("__pycache__", "static")
        )
    return shutil.make_archive(str(folder / "california-housing-training"), "zip", folder / "sources")


def _look(part: Part) -> dict[str, str]:
    with part.open() as opened:
        opened.read(1)
    return {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str:
    return xgboost.__version__ if name == "xgboost" else version(name)


def _start_tracker(count: int, host: str) -> dict[str, str | int]:
    """Let this worker tell the others of each other; returns what they must know of it."""
    global _tracker
    _tracker = RabitTracker(count, host, sortby="task")
    _tracker.start()
    return _tracker.worker_args()


def _learn_of(parts: Sequence[Part], work: Work, tracker: dict[str, str | int], rank: int) -> list[bytearray] | None:
    """What one worker does; the first one returns the models, which all of them have."""
    threads = distributed.get_worker().state.nthreads
    with CommunicatorContext(**tracker, dmlc_task_id=f"{rank:06d}", dmlc_timeout=COLLECTIVE_SECONDS):
        found = learn(parts, work, threads=threads)
    return found if rank == 0 else None


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except distributed.KilledWorker as error:
        raise TrainingError(
            f"{name}: every worker that read it was lost. Does a worker have too little memory? {error}"
        ) from error
