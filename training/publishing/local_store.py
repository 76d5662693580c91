"""A store in a directory: a version appears by one rename, `latest` is a link that is replaced in one step."""

import os
import shutil
from pathlib import Path

from api.store.manifest import LATEST, MANIFEST_NAME, MODELS_PREFIX


class LocalStore:
    """Published models under a directory; OSError where the disk says no."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / MODELS_PREFIX

    def manifest(self, name: str) -> bytes | None:
        """The manifest of a version or of `latest`; None where there is none."""
        try:
            return (self.folder / name / MANIFEST_NAME).read_bytes()
        except FileNotFoundError:
            return None

    def versions(self) -> list[str]:
        """The names of all version directories, complete or not."""
        if not self.folder.is_dir():
            return []
        return [entry.name for entry in self.folder.iterdir() if entry.is_dir() and entry.name.isdecimal()]

    def add(self, version: str, folder: Path) -> None:
        """Copy a complete model directory into the store."""
        partial = self.folder / f".{version}.partial"
        shutil.rmtree(partial, ignore_errors=True)  # left by a publish that was killed
        try:
            shutil.copytree(folder, partial)
            # The temporary folder that it came from is closed to others, such as a container's user.
            partial.chmod(0o755)
            for path in [*partial.rglob("*"), partial]:
                _sync(path)
            partial.rename(self.folder / version)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        _sync(self.folder)

    def promote(self, version: str) -> None:
        """Let `latest` be this version."""
        link = self.folder / f".{LATEST}.partial"
        link.unlink(missing_ok=True)
        link.symlink_to(version)
        link.replace(self.folder / LATEST)
        _sync(self.folder)


def _sync(path: Path) -> None:
    """Have the disk hold what was written, so that a power cut cannot leave a version with empty files."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
