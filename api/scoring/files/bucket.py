"""A place in S3: files appear by a single request, and are copied to the temporary directory to be read."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from botocore import exceptions as boto

from api.errors import ScoringError
from api.scoring.files.places import S3, Identity
from api.store.s3 import connect

LARGEST_PUT = 5 * 2**30
"""Bytes that S3 takes in one request."""
CHUNK = 2**20


class Bucket:
    """A place in S3."""

    def __init__(self, bucket: str, prefix: str) -> None:
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

    def _get(self, name: str, identity: Identity, file: BinaryIO) -> None:
        response = self.client.get_object(
            Bucket=self.bucket,
            Key=self.prefix + name,
            IfMatch=f'"{identity["etag"]}"',
            Range=f"bytes={file.tell()}-",
        )
        with contextlib.suppress(boto.HTTPClientError, boto.IncompleteReadError, boto.ReadTimeoutError):
            file.writelines(response["Body"].iter_chunks(CHUNK))

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
