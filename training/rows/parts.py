"""A table in parts: the files of a folder, a glob or a prefix in S3, each read a batch at a time."""

import glob
import io
import os
import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import boto3
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError
from pyarrow.fs import S3FileSystem

from training.errors import DataError
from training.rows.files import Read, csv_batches, kind_of, read, readable

BATCH_ROWS = 20_000
"""Rows in memory at a time: 5 MB of 30 numbers."""

SHARE_OF_MEMORY = 0.1

S3 = "s3://"
_TABLES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
"""What is taken of a folder; a glob takes whatever it says."""

_WILD = r"[*?\[]"


class Part(NamedTuple):
    """One file of a table, here or in S3."""

    name: str
    """Its path, or `s3://BUCKET/KEY`."""
    size: int
    """In bytes, as it lies there."""

    def absolute(self) -> "Part":
        """The same one, by a name that holds in every process's working directory."""
        return self if self.name.startswith(S3) else self._replace(name=str(Path(self.name).absolute()))

    def read(self, columns: Collection[str] | None = None) -> Read:
        """All of its rows, a file of this machine by `training.rows.files.read`; see `batches`."""
        if columns is None and not self.name.startswith(S3):
            return read(Path(self.name))
        found = list(self.batches(columns, rows=None))
        return found[0]._replace(table=pd.concat([each.table for each in found], ignore_index=True))

    def batches(self, columns: Collection[str] | None = None, rows: int | None = BATCH_ROWS) -> Iterator[Read]:
        """Its rows, so many at a time, in their order, as `training.rows.files.read` gives a file's.

        A file without rows gives one batch without rows.

        Args:
            columns: read no others; where the file lacks one of them, all are read, so that an error can name them.
            rows: at most, in a batch; None for all at once.

        Raises:
            DataError: it cannot be read, or is no table.
        """
        with readable(self.name):
            if kind_of(self.name) == ".parquet":
                yield from self._parquet(columns, rows)
            else:
                yield from csv_batches(self.open, self.name, rows=rows, columns=columns)

    def types(self) -> dict[str, str]:
        """What a Parquet file says its columns are, in a word: number, text, ...; of a CSV nothing.

        Raises:
            DataError: it cannot be read.
        """
        if kind_of(self.name) != ".parquet":
            return {}
        with readable(self.name), self.open() as opened:
            return {field.name: _kind(field.type) for field in pq.read_schema(opened)}

    def rows(self) -> int | None:
        """How many it has; None of a CSV, which would have to be read for it."""
        if kind_of(self.name) != ".parquet":
            return None
        with readable(self.name), self.open() as opened:
            return int(pq.read_metadata(opened).num_rows)

    def open(self) -> io.BufferedReader:
        """The file at its beginning."""
        if not self.name.startswith(S3):
            return Path(self.name).open("rb")
        path = self.name.removeprefix(S3)
        opened: Any = _s3(_region(path.partition("/")[0])).open_input_file(path)
        return io.BufferedReader(opened)

    def _parquet(self, columns: Collection[str] | None, rows: int | None) -> Iterator[Read]:
        with self.open() as opened:
            file = pq.ParquetFile(opened)
            names = file.schema_arrow.names
            chosen = list(columns) if columns is not None and set(columns) <= set(names) else None
            before = 0
            for batch in file.iter_batches(rows or max(1, file.metadata.num_rows), columns=chosen):
                table = pa.Table.from_batches([batch]).to_pandas()
                yield Read(table.reset_index(drop=True), "Parquet", before=before)
                before += len(table)
            if before == 0:
                yield Read(file.schema_arrow.empty_table().to_pandas(), "Parquet")


class Parts(NamedTuple):
    """A table that no memory needs to hold."""

    parts: list[Part]
    source: str
    """What the user called them."""


def beyond_memory(parts: Sequence[Part], columns: int) -> str:
    """Why a table is trained in parts; nothing where it is read into memory, as a single file is that fits.

    A file fits where its values, of 8 bytes each, take no more than a tenth of the machine's memory: a training needs
    several times their room.

    Raises:
        DataError: the file cannot be read.
    """
    if len(parts) > 1:
        return f"it has {len(parts)} files"
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    rows = parts[0].rows()
    size = parts[0].size if rows is None else rows * columns * 8
    return f"its values take {size / 1e9:.1f} GB of {memory / 1e9:.1f}" if size > SHARE_OF_MEMORY * memory else ""


def find(data: str) -> list[Part]:
    """The files of a table, by name: one file, a folder with all below it, a glob; each also in S3.

    Of a folder the CSV and Parquet files are taken. Hidden files, those whose name begins with an underscore as
    `_SUCCESS`, and empty ones are left aside, and so is what lies in such folders.

    Args:
        data: a path, or `s3://BUCKET/PREFIX`, where `*`, `?` and `[…]` stand for parts of a name, and locally `**` for
            folders.

    Raises:
        DataError: nothing is there, or both CSV and Parquet.
    """
    found = _in_s3(data) if data.startswith(S3) else _local(data)
    parts = sorted(part for part in found if part.size)
    if not parts:
        raise DataError(
            f"{data}: there is no CSV or Parquet file with anything in it. Name a file, a folder, s3://BUCKET/PREFIX, "
            "or a pattern in quotes, such as 'rows/*.parquet'."
        )
    kinds = {kind_of(part.name) for part in parts}
    if len(kinds) > 1 and ".parquet" in kinds:
        raise DataError(f"{data} has both CSV and Parquet files: name those of one kind, such as '*.parquet'.")
    return parts


def _local(data: str) -> Iterator[Part]:
    place = Path(data)
    if place.is_dir():
        files = [file for file in place.rglob("*") if _is_table(file.relative_to(place).as_posix())]
    elif place.exists():
        files = [place]
    else:
        # `Path.glob` takes no pattern that begins at the root.
        names = glob.glob(data, recursive=True)  # noqa: PTH207
        files = [Path(name) for name in names if not _is_hidden(name.removeprefix(_folder(data)))]
    yield from (Part(str(file), file.stat().st_size) for file in files if file.is_file())


def _in_s3(data: str) -> Iterator[Part]:
    bucket, _, key = data.removeprefix(S3).partition("/")
    folder = key if key.endswith("/") or not key else f"{key}/"
    wild = re.search(_WILD, key)
    for name, size in _objects(bucket, _folder(key) if wild else key):
        if wild:
            wanted = PurePosixPath("/", name).match(f"/{key}") and not _is_hidden(name.removeprefix(_folder(key)))
        else:
            wanted = name == key or (name.startswith(folder) and _is_table(name.removeprefix(folder)))
        if wanted:
            yield Part(f"{S3}{bucket}/{name}", size)


def _objects(bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
    try:
        pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            yield from ((found["Key"], found["Size"]) for found in page.get("Contents", []))
    except ClientError as error:
        raise DataError(f"{S3}{bucket}/{prefix} cannot be listed: {error}") from error


def _folder(pattern: str) -> str:
    """What stands before the first name that is not given in full."""
    fixed = re.split(_WILD, pattern, maxsplit=1)[0]
    return fixed[: fixed.rfind("/") + 1]


def _is_table(path: str) -> bool:
    return path.lower().endswith(_TABLES) and not _is_hidden(path)


def _is_hidden(path: str) -> bool:
    return any(name.startswith((".", "_")) for name in path.split("/"))


@cache
def _region(bucket: str) -> str:
    try:
        found = boto3.client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        raise DataError(f"{S3}{bucket} cannot be read: {error}") from error
    return found.get("BucketRegion") or boto3.client("s3").meta.region_name


def _s3(region: str) -> S3FileSystem:
    """Arrow's client with what boto3 finds, asked anew for each file: credentials may last no longer than an hour."""
    session = boto3.Session()
    if (found := session.get_credentials()) is None:
        raise DataError("There are no AWS credentials: boto3 looks for them in AWS_* and ~/.aws.")
    keys = found.get_frozen_credentials()
    return S3FileSystem(
        access_key=keys.access_key,
        secret_key=keys.secret_key,
        session_token=keys.token,
        region=region,
        endpoint_override=session.client("s3", region_name=region).meta.endpoint_url,
    )


def _kind(type_: pa.DataType) -> str:
    if pa.types.is_dictionary(type_):
        return _kind(type_.value_type)
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return "number"
    if pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return "text"
    return "" if pa.types.is_null(type_) else str(type_)
