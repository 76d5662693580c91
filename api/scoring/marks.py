"""What stands in the footer of a part's scores: what they were made of, so that a run knows what is done."""

from typing import Self

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from api.scoring.files.places import Identity, Place

KEY = "scoring"
_END = 8
"""Bytes at the end of a Parquet file: the length of the footer before them, and the format's name."""


class Mark(msgspec.Struct, frozen=True):
    """Of one part's scores."""

    model: str
    """Name and version."""
    digest: str
    """The sha256 of its manifest."""
    keep: tuple[str, ...] | None
    source: Identity
    rows: int = 0
    """That were answered."""
    refused: int = 0
    """Rows that were not."""

    def counted(self, rows: int, refused: int) -> Self:
        """The same with these counts."""
        return msgspec.structs.replace(self, rows=rows, refused=refused)

    def written(self) -> dict[str, bytes]:
        """For the footer."""
        return {KEY: msgspec.json.encode(self)}

    @classmethod
    def read(cls, place: Place, name: str) -> Self | None:
        """The mark of a file; None where there is no such file, or it is none of ours or not whole."""
        end = place.tail(name, _END)
        if end is None or end[4:] != b"PAR1":
            return None
        footer = place.tail(name, int.from_bytes(end[:4], "little") + _END)
        try:
            metadata = pq.read_metadata(pa.BufferReader(b"PAR1" + (footer or b""))).metadata or {}
            return msgspec.json.decode(metadata.get(KEY.encode(), b""), type=cls)
        except (pa.ArrowException, OSError, msgspec.DecodeError):
            return None
