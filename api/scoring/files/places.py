"""Where tables and their scores lie: a folder on this machine, or a prefix in an S3 bucket."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

S3 = "s3://"

Identity = dict[str, str | int]
"""Tells a file's content from any other: its size, and here its sha256, in S3 its ETag."""


class Place(Protocol):
    """A folder with files below it, named by their paths within it, with '/' between their parts."""

    def where(self, name: str = "") -> str:
        """The folder, or a file in it, as a message should name it."""

    def names(self) -> list[str]:
        """All files below it that are not empty, sorted; none where there is no such folder."""

    def identity(self, name: str) -> Identity:
        """What its content is."""

    def copied(self, name: str, identity: Identity) -> AbstractContextManager[Path]:
        """The file on this machine, for as long as it is needed; refused if it is no longer of that identity."""

    def tail(self, name: str, size: int) -> bytes | None:
        """Its last bytes; None where there is no such file."""

    def put(self, name: str, file: Path) -> None:
        """Move a file there, in place of what has its name."""

    def create(self, name: str, content: bytes) -> bytes:
        """Write a file where there is none of its name; returns what is there afterwards."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def scratch(self) -> AbstractContextManager[Path]:
        """A folder of its own to prepare files in that are put here."""
