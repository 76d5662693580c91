"""A store in an S3 bucket: files first, manifest last, so that a directory with a manifest is complete."""

from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from api.store.manifest import LATEST, MANIFEST_NAME, decode, models_prefix
from api.store.mlmodel import MLMODEL
from training.errors import StoreError


class S3Store:
    """A model's versions in a bucket, below a prefix; botocore's errors where S3 says no.

    Credentials, region and `AWS_ENDPOINT_URL` are those that boto3 finds.
    """

    def __init__(self, bucket: str, prefix: str, name: str) -> None:
        self.bucket = bucket
        self.folder = f"{prefix}/{models_prefix(name)}".lstrip("/")
        self.client = boto3.client("s3")

    def where(self, name: str) -> str:
        """See `Store.where`."""
        return f"s3://{self.bucket}/{self.folder}/{name}"

    def manifest(self, name: str) -> bytes | None:
        """See `Store.manifest`."""
        return self._get(f"{self.folder}/{name}/{MANIFEST_NAME}")

    def versions(self) -> list[str]:
        """See `Store.versions`."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"{self.folder}/", Delimiter="/"
        )
        names = [found["Prefix"].split("/")[-2] for page in pages for found in page.get("CommonPrefixes", [])]
        return [name for name in names if name.isdecimal()]

    def add(self, version: str, folder: Path) -> None:
        """See `Store.add`."""
        files = decode((folder / MANIFEST_NAME).read_bytes()).files
        # MLmodel has its model's id: whoever writes it first has claimed the version, and any other model's publish
        # ends here, before it has written anything.
        for name in sorted(files, key=lambda name: (name != MLMODEL, name)):
            self._put(version, folder, name)
        self._put(version, folder, MANIFEST_NAME)

    def promote(self, version: str) -> None:
        """See `Store.promote`."""
        live = self.manifest(version)
        if live is None:
            raise StoreError(f"Version {version} is not published: {self.where(version)} has no manifest.")
        # A reader between the first copy and the last sees that files and manifest disagree, and reads the version's
        # own directory, which it finds by the manifest.
        self._copy_to_latest(version, *decode(live).files, MANIFEST_NAME)
        # Two promotions at once may have mixed their files. The manifest that was written last decides: each copies
        # the files of the one that it finds, until it finds the same one afterwards.
        while live:
            self._copy_to_latest(decode(live).model_version, *decode(live).files)
            found = self.manifest(LATEST)
            live = found if found != live else None

    def _copy_to_latest(self, version: str, *names: str) -> None:
        for name in names:
            self.client.copy_object(
                Bucket=self.bucket,
                Key=f"{self.folder}/{LATEST}/{name}",
                CopySource={"Bucket": self.bucket, "Key": f"{self.folder}/{version}/{name}"},
            )

    def _put(self, version: str, folder: Path, name: str) -> None:
        """Write an object that is not there yet; one that is there must be the same.

        One request a file, up to S3's 5 GB: the condition holds for the whole of it.
        """
        key = f"{self.folder}/{version}/{name}"
        try:
            with (folder / name).open("rb") as body:
                self.client.put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            # The second says that another write of the same key is under way.
            if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise
            if self._get(key) != (folder / name).read_bytes():
                raise self._occupied(version, name) from error

    def _occupied(self, version: str, name: str) -> StoreError:
        there = self.where(version)
        if self.manifest(version) is not None:
            return StoreError(f"Someone else published version {version} at the same time; {there} stays as it is.")
        return StoreError(
            f"{there}/{name} is of another publish, which is under way or broke off; nothing of it was changed. If it "
            f"broke off, remove what it left (`aws s3 rm --recursive {there}/`) and publish again."
        )

    def _get(self, key: str) -> bytes | None:
        try:
            return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None
