"""What a store has published, and which version of it is live."""

import logging

import msgspec

from api.store import manifest
from api.store.manifest import LATEST, Manifest
from training.errors import OtherFormatError, StoreError
from training.publishing.stores import Store

log = logging.getLogger(__name__)


def promote(version: str, store: Store) -> None:
    """Let the store's `latest` be a published version.

    Raises:
        StoreError: the version is not published there, or not to the end.
    """
    find(version, store)
    before = _version_of(store, LATEST)
    store.promote(version)
    log.info("latest is version %s (%s); it was %s", version, store.where(LATEST), before)


def find(version: str, store: Store) -> Manifest:
    """The manifest of a published version.

    Raises:
        StoreError: the version is not published there, or not to the end.
    """
    if (found := read(store, version)) is None:
        names = ", ".join(other.model_version for other in published(store))
        raise StoreError(f"Version {version} is not published there; published are: {names or 'none'}.")
    return found


def is_live(version: str, run_id: str | None, store: Store) -> bool:
    """Whether `latest` is this version, made by this run, and the version is published."""
    raw = store.manifest(LATEST)
    if raw is None or raw != store.manifest(version):
        return False
    return find(version, store).run_id == run_id


def published(store: Store) -> list[Manifest]:
    """The manifests of all complete versions, oldest first; those of another format are named in the log."""
    found = []
    for name in sorted(store.versions(), key=int):
        try:
            found.append(read(store, name))
        except OtherFormatError as error:
            log.warning("%s", error)
    return [described for described in found if described]


def _version_of(store: Store, name: str) -> str:
    """What a log calls the version of a directory."""
    try:
        found = read(store, name)
    except StoreError:
        return "damaged"  # and is about to be mended
    return f"version {found.model_version}" if found else "nothing"


def read(store: Store, name: str) -> Manifest | None:
    """The manifest of a version or of `latest`; None where there is none.

    Raises:
        StoreError: it is no manifest.
        OtherFormatError: it is one that this program does not read.
    """
    raw = store.manifest(name)
    try:
        return None if raw is None else manifest.decode(raw)
    except manifest.FormatError as error:
        raise OtherFormatError(f"{store.where(name)}: {error}") from error
    except msgspec.DecodeError as error:
        raise StoreError(f"The manifest of {name} is damaged: {error}") from error
