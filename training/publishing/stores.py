"""Where published models lie: a directory here or a bucket in S3, laid out alike as `api.store.manifest` says."""

from pathlib import Path
from typing import Protocol

from training.errors import StoreError
from training.publishing.local_store import LocalStore
from training.publishing.s3_store import S3Store


class Store(Protocol):
    """Versions, each whole once its manifest is there, and `latest`, which is one of them."""

    def manifest(self, name: str) -> bytes | None:
        """The manifest of a version or of `latest`; None where there is none."""

    def versions(self) -> list[str]:
        """The names of all version directories, complete or not."""

    def add(self, version: str, folder: Path) -> None:
        """Copy a complete model directory into the store, its manifest last."""

    def promote(self, version: str) -> None:
        """Let `latest` be this version."""


def open_store(location: str) -> Store:
    """The store at a directory's path or at `s3://bucket`.

    Raises:
        StoreError: the address names something else.
    """
    if not location.startswith("s3://"):
        return LocalStore(Path(location))
    bucket = location.removeprefix("s3://").rstrip("/")
    if not bucket or "/" in bucket:
        raise StoreError(f"{location} is not a store: give s3://BUCKET, the path inside is fixed.")
    return S3Store(bucket)
