"""Scores parts on this machine's cores, a process for each."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, NamedTuple

from api.errors import ScoringError
from api.scoring.part import Job, Outcome, Scorer
from api.scoring.progress import Progress

LOOK_SECONDS = 1.0
"""Between two looks at how far the processes are."""

# A fork would copy Arrow's threads' locks, and not the threads.
CONTEXT = multiprocessing.get_context("spawn")


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Local:
    """Runs in so many processes, or, of one, in this one."""

    def __init__(self, processes: int) -> None:
        self.processes = processes

    def __call__(self, job: Job, names: Sequence[str], progress: Progress) -> Iterator[Outcome]:
        """Score the parts.

        Raises:
            ScoringError: one cannot be scored, or a process was killed. What is done stays.
        """
        processes = min(self.processes, len(names))
        if processes == 1:
            scorer = Scorer(job)
            return (scorer.score(name, progress.add) for name in names)
        return _scored(job, names, progress, processes)


def _scored(job: Job, names: Sequence[str], progress: Progress, processes: int) -> Iterator[Outcome]:
    shared = _Shared(CONTEXT.Value("q", 0), CONTEXT.Event())
    pool = ProcessPoolExecutor(processes, CONTEXT, _begin, (job, shared))
    try:
        pending = {pool.submit(_score, name) for name in names}
        seen = 0
        while pending:
            done, pending = wait(pending, LOOK_SECONDS, FIRST_COMPLETED)
            rows = shared.rows.value
            progress.add(rows - seen)
            seen = rows
            for future in done:
                yield future.result()
    except BrokenProcessPool as error:
        raise ScoringError(
            "a process that scored was killed, most likely for want of memory: give fewer --processes, or the machine "
            "more; what is done stays, and the same command goes on"
        ) from error
    finally:
        shared.stop.set()
        pool.shutdown(cancel_futures=True)


class _Shared(NamedTuple):
    rows: Any
    """How many were scored, by all processes."""
    stop: Any
    """Set when no more are wanted."""


class _StoppedError(Exception):
    """The run was ended while a part was being scored."""


class _Process(NamedTuple):
    scorer: Scorer
    shared: _Shared


_processes: list[_Process] = []
"""In a process of the pool: the one thing it works with."""


def _begin(job: Job, shared: _Shared) -> None:
    # Control-C reaches every process; the first one tells the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _processes.append(_Process(Scorer(job), shared))


def _end_with_parent() -> None:
    """However that ends: a process of a pool would wait for ever for its next part."""
    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(1)


def _score(name: str) -> Outcome:
    (process,) = _processes
    return process.scorer.score(name, _count)


def _count(rows: int) -> None:
    (process,) = _processes
    if process.shared.stop.is_set():
        raise _StoppedError
    with process.shared.rows.get_lock():
        process.shared.rows.value += rows
