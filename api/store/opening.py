"""Opens the store that the settings name."""

from pathlib import Path

from api.store.directory import LocalDirectory, Store, native


def open_store(bucket: str, path: str) -> Store:
    """The store that `MODEL_BUCKET` and `MODEL_PATH` name; an empty bucket means a local directory."""
    if not bucket:
        return LocalDirectory(Path(native(path)))
    # A third of a second to import, which a local directory does not need.
    from api.store.s3 import S3Prefix

    return S3Prefix(bucket, path)
