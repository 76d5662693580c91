"""A store in an S3 bucket: files first, manifest last, so that a directory with a manifest is complete."""

from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from api.store.manifest import LATEST, MANIFEST_NAME, MODELS_PREFIX, decode
from training.errors import StoreError


class S3Store:
    """Published models in a bucket; botocore's errors where S3 says no.

    Credentials, region and `AWS_ENDPOINT_URL` are those that boto3 finds.
    """

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket
        self.client = boto3.client("s3")

    def manifest(self, name: str) -> bytes | None:
        """The manifest of a version or of `latest`; None where there is none."""
        try:
            return self.client.get_object(Bucket=self.bucket, Key=_key(name, MANIFEST_NAME))["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None

    def versions(self) -> list[str]:
        """The names of all version directories, complete or not."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"{MODELS_PREFIX}/", Delimiter="/"
        )
        names = [found["Prefix"].split("/")[-2] for page in pages for found in page.get("CommonPrefixes", [])]
        return [name for name in names if name.isdecimal()]

    def add(self, version: str, folder: Path) -> None:
        """Copy a complete model directory into the store."""
        manifest = (folder / MANIFEST_NAME).read_bytes()
        for name in decode(manifest).files:
            self.client.upload_file(str(folder / name), self.bucket, _key(version, name))
        try:
            self.client.put_object(Bucket=self.bucket, Key=_key(version, MANIFEST_NAME), Body=manifest, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            raise StoreError(f"Someone else published version {version} at the same time.") from error

    def promote(self, version: str) -> None:
        """Let `latest` be this version."""
        manifest = self.manifest(version)
        if manifest is None:
            raise StoreError(f"Version {version} is not published in s3://{self.bucket}.")
        # A reader between the first copy and the last sees that files and manifest disagree, and reads the version's
        # own directory, which it finds by the manifest.
        for name in [*decode(manifest).files, MANIFEST_NAME]:
            source = f"{self.bucket}/{_key(version, name)}"
            self.client.copy_object(Bucket=self.bucket, Key=_key(LATEST, name), CopySource=source)


def _key(*parts: str) -> str:
    return "/".join((MODELS_PREFIX, *parts))
