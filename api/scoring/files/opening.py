"""Opens the place that a path or an address names."""

import re

from api.errors import ScoringError
from api.scoring.files.folder import Folder
from api.scoring.files.places import S3, Place


def place(location: str) -> Place:
    """The place that a path or an `s3://` address names.

    Raises:
        ScoringError: it is no address.
    """
    if not location.startswith(S3):
        if not location or re.match(r"[a-z][a-z0-9+.-]*://", location, re.IGNORECASE):
            raise ScoringError(f"{location!r} is no place: give a folder's path or s3://BUCKET/PREFIX")
        return Folder(location)
    # A third of a second to import, which a folder does not need.
    from api.scoring.files.bucket import Bucket

    bucket, _, prefix = location.removeprefix(S3).partition("/")
    if not bucket:
        raise ScoringError(f"{location!r} names no bucket: give s3://BUCKET/PREFIX")
    return Bucket(bucket, prefix)
