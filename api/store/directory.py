"""Where models are published: a local directory or a prefix in an S3 bucket, read file by file into memory.

Files never touch the service's disk: what was verified is what is loaded.
"""

import os
from pathlib import Path, PurePosixPath
from typing import Protocol, Self

from api.errors import ModelRefused, ModelUnavailable
from api.store.manifest import is_published_name

MAX_FILE_BYTES = 512 * 2**20
"""No file of a model is larger; a bigger claim is refused before it is read."""


class Store(Protocol):
    """A model directory, wherever it lies."""

    @property
    def must_be_published(self) -> bool:
        """Whether this is a place where only published models lie, each with its manifest."""

    def read(self, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """Read one file of the directory, whole.

        Raises:
            FileNotFoundError: there is no such file.
            ModelRefused: its name leaves the directory, or it has more bytes than `limit`.
            ModelUnavailable: it could not be read, and trying again will not help.
            TransientError: it could not be read this time.
        """

    def where(self, name: str = "") -> str:
        """The directory, or a file in it, as a message should name it."""

    def sibling(self, name: str) -> Self:
        """The directory of that name beside this one."""


class TransientError(Exception):
    """The store failed in a way that passes: worth trying again."""


def check_name(name: str) -> None:
    """Refuse a file name that is not a plain relative path inside the directory."""
    path = PurePosixPath(name)
    if name == "." or str(path) != name or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise ModelRefused(f"the model names a file {name!r}, which is not a path inside its directory")


class LocalDirectory:
    """A model directory on this machine."""

    def __init__(self, path: Path) -> None:
        # Resolved once: a `latest` link that is replaced meanwhile does not mix two models.
        self.path = _resolve(path)
        self.must_be_published = is_published_name(path.name) or is_published_name(self.path.name)

    def read(self, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """See `Store.read`."""
        check_name(name)
        file = _resolve(self.path / native(name))
        if not file.is_relative_to(self.path):
            raise ModelRefused(f"{self.where(name)} is a link that leaves the model directory")
        try:
            size = file.stat().st_size
            if not file.is_file() or size > limit:
                raise ModelRefused(f"{self.where(name)} is not a file of at most {limit} bytes")
            return file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(self.where(name)) from None
        except OSError as error:
            raise ModelUnavailable(f"{self.where(name)} cannot be read: {error}") from error

    def where(self, name: str = "") -> str:
        """See `Store.where`."""
        return os.fsencode(self.path / native(name)).decode(errors="backslashreplace")

    def sibling(self, name: str) -> Self:
        """See `Store.sibling`."""
        return type(self)(self.path.parent / name)


def native(text: str) -> str:
    """A file's name as the system's calls take it, whatever characters the locale knows of."""
    return os.fsdecode(text.encode())


def _resolve(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:
        raise ModelUnavailable(f"{path} cannot be followed: {error}") from error
