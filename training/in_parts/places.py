"""Where the parts are read and learned from: on this machine, one after the other, or on a cluster's workers."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

import joblib

from training.fitting.progress import TreesGrown
from training.fitting.search import connected, trees_of, work_of
from training.in_parts.learning import Work, learn
from training.rows.parts import Part

T = TypeVar("T")

log = logging.getLogger(__name__)


class Place(Protocol):
    """Reads parts and learns from them."""

    def each(self, function: Callable[[Part], T], parts: Sequence[Part]) -> Iterator[T]:
        """What a function says of each part, in the parts' order."""

    def learn(self, parts: Sequence[Part], work: Work) -> list[bytearray]:
        """See `training.in_parts.learning.learn`."""


class Here:
    """This machine."""

    def each(self, function: Callable[[Part], T], parts: Sequence[Part]) -> Iterator[T]:
        """See `Place.each`."""
        return map(function, parts)

    def learn(self, parts: Sequence[Part], work: Work) -> list[bytearray]:
        """See `Place.learn`."""
        trees = [trees_of(candidate) for candidate in work.candidates]
        with TreesGrown("Training", trees, [work_of(candidate) for candidate in work.candidates]) as counter:
            return learn(parts, work, threads=joblib.cpu_count(), callbacks=[counter])


@contextmanager
def place_of(parts: Sequence[Part], cluster: str | None) -> Iterator[Place]:
    """This machine, or the workers of the Dask cluster with this address.

    Raises:
        TrainingError: the cluster cannot be reached, or its workers cannot do the work.
    """
    if cluster is None:
        yield Here()
        return
    with connected(cluster) as client:
        from training.in_parts.cluster import Cluster, check  # Dask is an extra

        check(client, parts)
        log.info(
            "Training on the %d workers of %s; watch it at %s", len(client.nthreads()), cluster, client.dashboard_link
        )
        yield Cluster(client)
