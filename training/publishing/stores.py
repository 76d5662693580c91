"""Where published models lie: a directory here or a bucket in S3, laid out alike as `api.store.manifest` says."""

import re
from pathlib import Path
from typing import Protocol

from api.store.manifest import MODELS_PREFIX
from training.errors import StoreError
from training.publishing.local_store import LocalStore
from training.publishing.s3_store import S3Store


class Store(Protocol):
    """Versions, each whole once its manifest is there, and `latest`, which is one of them."""

    def where(self, name: str) -> str:
        """The directory of a version or of `latest`, as a person would name it."""

    def manifest(self, name: str) -> bytes | None:
        """The manifest of a version or of `latest`; None where there is none."""

    def versions(self) -> list[str]:
        """The names of all version directories, complete or not."""

    def add(self, version: str, folder: Path) -> None:
        """Copy a complete model directory into the store, its manifest last.

        Nothing that is there is overwritten; what is there to the byte is taken as copied.

        Raises:
            StoreError: something else is there. If it has no manifest, the text says how to go on.
        """

    def promote(self, version: str) -> None:
        """Let `latest` be this version, which is complete."""


def open_store(location: str, name: str) -> Store:
    """The place of the model of that name in a store: a directory's path, `s3://BUCKET` or `s3://BUCKET/PREFIX`.

    Raises:
        StoreError: the address names something else.
    """
    if MODELS_PREFIX in location:
        raise StoreError(f"{location} is inside a store: give what stands before {MODELS_PREFIX}.")
    bucket, *prefix = location.removeprefix("s3://").rstrip("/").split("/")
    if location.startswith("s3://") and bucket and not {"", ".", ".."} & set(prefix):
        return S3Store(bucket, "/".join(prefix), name)
    if location and not re.match(r"[a-z][a-z0-9+.-]*:", location, re.IGNORECASE):
        return LocalStore(Path(location), name)
    raise StoreError(
        f"{location!r} is not a store: give s3://BUCKET, s3://BUCKET/PREFIX or the path of a directory (./a:b for one "
        "whose name has a colon)."
    )
