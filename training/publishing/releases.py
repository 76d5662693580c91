"""What a store has published, and which version of it is live."""

import logging

import msgspec

from api.store import manifest
from api.store.manifest import LATEST, Manifest
from training.errors import StoreError
from training.publishing.stores import Store

log = logging.getLogger(__name__)


def promote(version: str, store: Store) -> Manifest:
    """Let the store's `latest` be a published version, and return its manifest.

    Raises:
        StoreError: the version is not published there, or not to the end.
    """
    if (wanted := read(store, version)) is None:
        names = ", ".join(found.model_version for found in published(store))
        raise StoreError(f"Version {version} is not published there; published are: {names or 'none'}.")
    before = read(store, LATEST)
    store.promote(version)
    log.info("latest is version %s; it was %s", version, before.model_version if before else "nothing")
    return wanted


def published(store: Store) -> list[Manifest]:
    """The manifests of all complete versions, oldest first."""
    found = [read(store, name) for name in sorted(store.versions(), key=int)]
    return [described for described in found if described]


def read(store: Store, name: str) -> Manifest | None:
    """The manifest of a version or of `latest`; None where there is none.

    Raises:
        StoreError: it is no manifest.
    """
    raw = store.manifest(name)
    try:
        return None if raw is None else manifest.decode(raw)
    except msgspec.DecodeError as error:
        raise StoreError(f"The manifest of {name} is damaged: {error}") from error
