"""Changes what a published directory says of itself."""

from pathlib import Path

import msgspec

from api.store.manifest import MANIFEST_NAME, decode, encode


def rewrite(directory: Path, **changes: object) -> None:
    """Write the manifest anew with other values in these fields."""
    path = directory / MANIFEST_NAME
    path.write_bytes(encode(msgspec.structs.replace(decode(path.read_bytes()), **changes)))
