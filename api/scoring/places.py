"""Where tables and their scores lie: a folder on this machine, or a prefix in an S3 bucket.

A file appears whole or not at all: here by a rename, in S3 by a single request. Whatever is read from S3 is first
copied to the temporary directory, a part at a time, with the client that the service fetches its model with.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from botocore import exceptions as boto

from api.errors import ScoringError

S3 = "s3://"
LARGEST_PUT = 5 * 2**30
"""Bytes that S3 takes in one request."""
CHUNK = 2**20
UNFINISHED = "_unfinished-"

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

    def copied(self, name: str, identity: Identity) -> contextlib.AbstractContextManager[Path]:
        """The file on this machine, for as long as it is needed; refused if it is no longer of that identity."""

    def tail(self, name: str, size: int) -> bytes | None:
        """Its last bytes; None where there is no such file."""

    def put(self, name: str, file: Path) -> None:
        """Move a file there, in place of what has its name."""

    def create(self, name: str, content: bytes) -> bytes:
        """Write a file where there is none of its name; returns what is there afterwards."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        """A folder of its own to prepare files in that are put here."""


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
        return sorted(file.relative_to(self.path).as_posix() for file in found if file.stat().st_size)

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
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=self.path) as folder, _used(Path(folder)):
            yield Path(folder)


class Bucket:
    """A place in S3."""

    def __init__(self, bucket: str, prefix: str) -> None:
        # A third of a second to import, which a folder does not need.
        from api.store.s3 import connect

        self.bucket, self.prefix = bucket, f"{prefix.strip('/')}/".lstrip("/")
        with self._told(""):
            self.client = connect(attempts=5)

    def where(self, name: str = "") -> str:
        """See `Place.where`."""
        return f"{S3}{self.bucket}/{self.prefix}{name}"

    def names(self) -> list[str]:
        """See `Place.names`."""
        with self._told(""):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
            keys = [found["Key"] for page in pages for found in page.get("Contents", []) if found["Size"]]
        return sorted(key.removeprefix(self.prefix) for key in keys)

    def identity(self, name: str) -> Identity:
        """See `Place.identity`."""
        with self._told(name):
            found = self.client.head_object(Bucket=self.bucket, Key=self.prefix + name)
        return {"etag": found["ETag"].strip('"'), "size": found["ContentLength"]}

    @contextlib.contextmanager
    def copied(self, name: str, identity: Identity) -> Iterator[Path]:
        """See `Place.copied`."""
        with self.scratch() as scratch:
            path = scratch / "read"
            with self._told(name), path.open("wb") as file:
                while (size := file.tell()) < int(identity["size"]):
                    # A connection that breaks off is taken up where it did, for as long as it brings anything.
                    self._get(name, identity, file)
                    if file.tell() == size:
                        raise ScoringError(f"{self.where(name)}: S3 sent nothing after {size} bytes: try again")
            yield path

    def _get(self, name: str, identity: Identity, file: Any) -> None:
        response = self.client.get_object(
            Bucket=self.bucket,
            Key=self.prefix + name,
            IfMatch=f'"{identity["etag"]}"',
            Range=f"bytes={file.tell()}-",
        )
        with contextlib.suppress(boto.HTTPClientError, boto.IncompleteReadError, boto.ReadTimeoutError):
            for chunk in response["Body"].iter_chunks(CHUNK):
                file.write(chunk)

    def tail(self, name: str, size: int) -> bytes | None:
        """See `Place.tail`."""
        try:
            with self._told(name):
                return self.client.get_object(Bucket=self.bucket, Key=self.prefix + name, Range=f"bytes=-{size}")[
                    "Body"
                ].read()
        except FileNotFoundError:
            return None

    def put(self, name: str, file: Path) -> None:
        """See `Place.put`."""
        if (size := file.stat().st_size) > LARGEST_PUT:
            raise ScoringError(f"{self.where(name)} would have {size} bytes, and S3 takes 5 GiB: split the part")
        with self._told(name), file.open("rb") as body:
            self.client.put_object(Bucket=self.bucket, Key=self.prefix + name, Body=body)

    def create(self, name: str, content: bytes) -> bytes:
        """See `Place.create`."""
        try:
            with self._told(name):
                self.client.put_object(Bucket=self.bucket, Key=self.prefix + name, Body=content, IfNoneMatch="*")
        except FileExistsError:
            with self._told(name):
                return self.client.get_object(Bucket=self.bucket, Key=self.prefix + name)["Body"].read()
        return content

    def remove(self, name: str) -> None:
        """See `Place.remove`."""
        with self._told(name):
            self.client.delete_object(Bucket=self.bucket, Key=self.prefix + name)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """See `Place.scratch`."""
        with tempfile.TemporaryDirectory(prefix="scoring-") as folder:
            yield Path(folder)

    @contextlib.contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """Say of a failure what was asked for.

        Raises:
            FileNotFoundError: there is no such object.
            FileExistsError: there is one, and none was to be.
            ScoringError: anything else.
        """
        try:
            yield
        except boto.ClientError as error:
            found = error.response.get("Error", {})
            code, message = found.get("Code", ""), found.get("Message", "")
            if code in ("NoSuchKey", "404"):
                raise FileNotFoundError(self.where(name)) from error
            if code in ("PreconditionFailed", "ConditionalRequestConflict") and error.operation_name == "PutObject":
                raise FileExistsError(self.where(name)) from error
            if code == "PreconditionFailed":
                raise ScoringError(f"{self.where(name)} was changed while it was read: score again") from error
            raise ScoringError(f"{self.where(name)}: {error.operation_name} was answered {code}: {message}") from error
        except boto.BotoCoreError as error:
            raise ScoringError(f"{self.where(name)}: {error}") from error


def place(location: str) -> Place:
    """The place that a path or an `s3://` address names.

    Raises:
        ScoringError: it is no address.
    """
    if not location.startswith(S3):
        if not location or re.match(r"[a-z][a-z0-9+.-]*://", location, re.IGNORECASE):
            raise ScoringError(f"{location!r} is no place: give a folder's path or s3://BUCKET/PREFIX")
        return Folder(location)
    bucket, _, prefix = location.removeprefix(S3).partition("/")
    if not bucket:
        raise ScoringError(f"{location!r} names no bucket: give s3://BUCKET/PREFIX")
    return Bucket(bucket, prefix)


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
