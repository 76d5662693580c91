"""A place on this machine: files appear by a rename, and what a killed run left is cleared away."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from api.errors import ScoringError
from api.scoring.files.places import Identity

UNFINISHED = "_unfinished-"
"""How folders of files that are being written begin."""


class Folder:
    """A place on this machine."""

    def __init__(self, path: str) -> None:
        self.path = Path(path).resolve()

    def where(self, name: str = "") -> str:
        """See `Place.where`."""
        return str(self.path / name)

    def names(self) -> list[str]:
        """See `Place.names`."""
        found: list[Path] = []
        for folder, _, files in os.walk(self.path, followlinks=True):
            found += [Path(folder, file) for file in files]
        return sorted(file.relative_to(self.path).as_posix() for file in found if _size(file))

    def identity(self, name: str) -> Identity:
        """See `Place.identity`."""
        with (self.path / name).open("rb") as file:
            return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "size": file.tell()}

    @contextlib.contextmanager
    def copied(self, name: str, identity: Identity) -> Iterator[Path]:
        """See `Place.copied`."""
        path = self.path / name
        before = path.stat()
        yield path
        after = path.stat()
        if (after.st_size, after.st_mtime_ns) != (identity["size"], before.st_mtime_ns):
            raise ScoringError(f"{path} was changed while it was read: score again when it is complete")

    def tail(self, name: str, size: int) -> bytes | None:
        """See `Place.tail`."""
        try:
            with (self.path / name).open("rb") as file:
                file.seek(-min(size, file.seek(0, os.SEEK_END)), os.SEEK_END)
                return file.read()
        except FileNotFoundError:
            return None

    def put(self, name: str, file: Path) -> None:
        """See `Place.put`."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as written:
            os.fsync(written.fileno())
        file.replace(target)

    def create(self, name: str, content: bytes) -> bytes:
        """See `Place.create`."""
        target = self.path / name
        with self.scratch() as scratch:
            (scratch / "new").write_bytes(content)
            with contextlib.suppress(FileExistsError):
                os.link(scratch / "new", target)
        return target.read_bytes()

    def remove(self, name: str) -> None:
        """See `Place.remove`."""
        (self.path / name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """See `Place.scratch`. On the same file system, or a rename would be none."""
        self.path.mkdir(parents=True, exist_ok=True)
        for left in self.path.glob(f"{UNFINISHED}*"):
            _remove_unless_used(left)
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=self.path))
        with _used(new):
            # It is locked before it has the name of those that may be cleared away.
            folder = new.rename(self.path / f"{UNFINISHED}{new.name.removeprefix('.new-')}")
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _used(folder: Path) -> Iterator[None]:
    """Hold a lock on the folder, which ends with the process, however that ends."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_SH)
        yield
    finally:
        os.close(held)


def _remove_unless_used(folder: Path) -> None:
    """Remove what a process left that was killed."""
    with contextlib.suppress(OSError):
        tried = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(tried, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(tried)


def _size(file: Path) -> int:
    """In bytes; 0 of one that is gone, such as what another run was writing."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
