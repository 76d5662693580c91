"""The content hash that tags the image: what `.dockerignore` lets into the build, and how it is built."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from docker.utils.build import exclude_paths

DOCKERFILE = "Dockerfile"


def context_files(root: Path) -> list[str]:
    """Relative paths of the files that the build sees, sorted; '/' separates."""
    patterns = [line.strip() for line in (root / ".dockerignore").read_text().splitlines()]
    ignored = [pattern for pattern in patterns if pattern and not pattern.startswith("#")]
    # Docker always reads the two files that steer the build; only the Dockerfile leaves a trace in the image.
    included = exclude_paths(str(root), ignored, dockerfile=DOCKERFILE) - {".dockerignore"}
    return sorted(Path(path).as_posix() for path in included if (root / path).is_file())


def content_hash(root: Path, *, platform: str, build_args: Mapping[str, str]) -> str:
    """Twelve hex digits that change with the image: a file's path, mode or bytes, the platform, a build argument."""
    digest = hashlib.sha256()
    parts = [("platform", platform.encode())]
    parts += [(f"argument {name}", value.encode()) for name, value in sorted(build_args.items())]
    for path in context_files(root):
        file = root / path
        # COPY keeps the mode; Docker's provider rebuilds when it changes, and must find the tag free.
        parts.append((f"file {file.stat().st_mode & 0o777:o} {path}", file.read_bytes()))
    for label, data in parts:
        # Lengths keep neighbouring parts from running into each other.
        digest.update(f"{label}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()[:12]
