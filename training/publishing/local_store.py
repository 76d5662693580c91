"""A store in a directory: a version appears by one rename, `latest` is a link that is replaced in one step."""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from api.store.manifest import LATEST, MANIFEST_NAME, models_prefix
from training.errors import StoreError

PARTIAL = ".partial"


class LocalStore:
    """A model's versions under a directory; OSError where the disk says no."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / models_prefix(name)

    def where(self, name: str) -> str:
        """See `Store.where`."""
        return str(self.folder / name)

    def manifest(self, name: str) -> bytes | None:
        """See `Store.manifest`."""
        try:
            return (self.folder / name / MANIFEST_NAME).read_bytes()
        except FileNotFoundError:
            return None

    def versions(self) -> list[str]:
        """See `Store.versions`."""
        if not self.folder.is_dir():
            return []
        return [entry.name for entry in self.folder.iterdir() if entry.is_dir() and entry.name.isdecimal()]

    def add(self, version: str, folder: Path) -> None:
        """See `Store.add`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        with self._partial(version) as partial:
            copy = partial / version
            try:
                shutil.copytree(folder, copy)
            except shutil.Error as error:
                raise OSError(error.args[0][0][2]) from error  # one reason a file: the first says enough
            # The temporary folder that it came from is closed to others, such as a container's user.
            copy.chmod(0o755)
            for path in [*copy.rglob("*"), copy]:
                _sync(path)
            try:
                copy.rename(self.folder / version)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                if self.manifest(version) != (folder / MANIFEST_NAME).read_bytes():
                    raise self._occupied(version) from error
        _sync(self.folder)

    def promote(self, version: str) -> None:
        """See `Store.promote`."""
        latest = self.folder / LATEST
        if latest.is_dir() and not latest.is_symlink():
            raise StoreError(f"{latest} is a directory, not the link that promoting makes: move it away and try again.")
        with self._partial(LATEST) as partial:
            link = partial / LATEST
            link.symlink_to(version)  # right once it has moved one directory up
            link.replace(latest)
        _sync(self.folder)

    @contextmanager
    def _partial(self, name: str) -> Iterator[Path]:
        """A hidden directory to make something in, locked for as long as its process lives."""
        partial = Path(tempfile.mkdtemp(PARTIAL, f".{name}.", self.folder))
        handle = os.open(partial, os.O_RDONLY)
        try:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield partial
        finally:
            os.close(handle)
            shutil.rmtree(partial, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what killed processes have left behind."""
        for left in self.folder.glob(f".*{PARTIAL}"):
            with suppress(OSError):  # its process lives, or there are no locks to tell
                handle = os.open(left, os.O_RDONLY)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(left)
                finally:
                    os.close(handle)

    def _occupied(self, version: str) -> StoreError:
        there = self.where(version)
        if self.manifest(version) is not None:
            return StoreError(f"Someone else published version {version} at the same time; {there} stays as it is.")
        return StoreError(f"{there} is there without a manifest: remove what is left of it, and publish again.")


def _sync(path: Path) -> None:
    """Have the disk hold what was written, so that a power cut cannot leave a version with empty files."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
