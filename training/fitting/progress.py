"""How far a search is, for those who wait for it: a bar in a terminal, elsewhere a line every half minute."""

import logging
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from xgboost.callback import TrainingCallback

LINE_SECONDS = 30.0
ESTIMATE_SECONDS = 3.0
"""Before, the first trees' own preparations would be taken for the pace of all."""

log = logging.getLogger(__name__)


class TreesGrown(TrainingCallback):
    """Given to XGBoost, counts the trees of many fits: a fit may take minutes, a tree does not.

    Args:
        label: what is under way.
        trees: how many trees each fit grows, in the order of the fits.
        work: how long each fit takes, in any unit.
    """

    def __init__(self, label: str, trees: Sequence[float], work: Sequence[float]) -> None:
        console = Console(stderr=True)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self.label, self.grown = label, 0
        self.trees = np.cumsum([0, *trees])
        self.shares = np.cumsum([0, *work]) / np.sum(work)
        self.task = self.bar.add_task(label, total=1.0, left="")
        self.lock = threading.Lock()
        self.started = self.last_line = time.monotonic()

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, error: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        if error is None:
            self.bar.update(self.task, completed=1.0, left="")
        self.bar.stop()

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        """All copies of a model that scikit-learn makes count here."""
        return self

    def before_training(self, model: Any) -> Any:
        """Reading rows into bins, before the first tree, says nothing of the pace of trees."""
        if not self.grown:
            self.started = time.monotonic()
        return model

    def after_iteration(self, *_: Any, **__: Any) -> bool:
        """Count a tree; called from every thread that fits."""
        with self.lock:
            self.grown += 1
            done = float(np.interp(self.grown, self.trees, self.shares))
            now = time.monotonic()
            passed = now - self.started
            left = f"about {_duration(passed * (1 - done) / done)} left" if passed > ESTIMATE_SECONDS else ""
            self.bar.update(self.task, completed=done, left=left)
            if self.bar.disable and now - self.last_line >= LINE_SECONDS:
                self.last_line = now
                log.info("%s: %.0f %%, %s", self.label, 100 * done, left)
        return False


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
