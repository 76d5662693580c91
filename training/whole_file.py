"""A file that is written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """Yield a path beside `file` to write to; it takes the file's place when the block ends well, and else is removed.

    Raises:
        OSError: the disk says no; a file that was there before is as it was.
    """
    handle, name = mkstemp(dir=file.parent, prefix=f".{file.name}.", suffix=file.suffix)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.chmod(0o644)  # mkstemp's is for nobody else
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
