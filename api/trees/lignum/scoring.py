"""Raw scores by lignum, a C++ library, which walks the trees several times faster than numpy can.

It never sees a byte of a model file: it is given the forest as `document.py` writes it, after every number of it was
checked. What the file takes in memory is mapped, not copied, and travels between processes as lignum's own format.
"""

import contextlib
import os
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import lignum
import numpy as np
import numpy.typing as npt

from api.errors import ModelRefused
from api.trees.forest import Floats, Forest
from api.trees.lignum import document
from api.trees.lignum.alignment import aligned

WARMED_BYTES = 8 * 2**20
"""More trees would not stay in the cache, and are not read within a turn of the event loop."""

Pages = npt.NDArray[np.uint8]
"""The memory that a file was mapped to."""

ONE_THREAD = 1

FEW_ROWS = 64
"""Up to so many are walked by bins: a row's values are looked up among all thresholds first, and nodes that hold small
whole numbers instead take fewer lines of the cache, which counts when it is full of other things. More rows in a call
find the nodes there, and the thresholds themselves take a fifth less; but not where splits are on categories, which
bins have decided beforehand."""


class Scorer:
    """The raw scores of one forest, before the link function, by what walks few rows and what walks many."""

    def __init__(self, few: lignum.Model, many: lignum.Model, pages: Pages | None = None) -> None:
        self._few = few
        self._many = many
        self._pages = pages
        # What is alive when the interpreter ends, its binding reports on standard error as leaked.
        weakref.finalize(self, vars(self).clear)

    @classmethod
    def of(cls, forest: Forest) -> Self:
        """Lay a forest out.

        Raises:
            ModelRefused: lignum cannot.
        """
        try:
            few = _load(document.write(aligned(forest)))
            if few.uses_binned and forest.nodes.categorical.any():
                return cls(few, few)
            many = _load(document.write(forest), binned=False)
        except (RuntimeError, ValueError, MemoryError) as error:
            raise ModelRefused(f"the model's trees could not be laid out: {error!s:.300}") from error
        # There are bins for 65,000 thresholds of a feature.
        return cls(few if few.uses_binned else many, many)

    @classmethod
    def restored(cls, *files: tuple[bytes, bool]) -> Self:
        """From lignum's own files, of one walk or of two, and whether each is by bins."""
        walks, pages = [], None
        for content, binned in files:
            with _file(content) as path:
                walks.append(lignum.load(path, binned=binned))
                pages = np.memmap(path, np.uint8, "r") if len(content) <= WARMED_BYTES else None
        return cls(walks[0], walks[-1], pages)

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[tuple[bytes, bool], ...]]:
        walks = [self._few] if self._many is self._few else [self._few, self._many]
        return type(self).restored, tuple((_stored(walk), walk.uses_binned) for walk in walks)

    def warm(self) -> None:
        """Have the trees that many rows are walked by in the processor's cache, if they are few enough.

        In order they come from memory in a tenth of the time that a walk waits for them, one here and one there.
        """
        if self._pages is not None:
            self._pages.max()

    def scores(self, rows: Floats) -> Floats:
        """XGBoost's own floats to the bit: shape (n,), or (n, classes) of several classes."""
        model = self._few if len(rows) <= FEW_ROWS else self._many
        scores: Floats = model.predict(rows, raw_score=True, n_jobs=ONE_THREAD).astype(np.float32)
        return scores


def _load(content: bytes, *, binned: bool = True) -> lignum.Model:
    with _file(content) as path:
        return lignum.load(path, binned=binned)


def _stored(model: lignum.Model) -> bytes:
    with _file(b"") as path:
        model.save(path)
        return Path(path).read_bytes()


@contextlib.contextmanager
def _file(content: bytes) -> Iterator[str]:
    """The path of a file in memory; where there is none, on disk. What has mapped it keeps it when it is gone."""
    if sys.platform == "linux":
        with os.fdopen(os.memfd_create("model"), "wb") as file:
            file.write(content)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            yield file.name
