"""Buckets in the emulated S3, as a machine with credentials makes and fills them."""

from pathlib import Path
from typing import Final

import boto3

REGION: Final = "us-west-2"


def create_bucket(name: str) -> str:
    """Create an empty bucket; returns its name."""
    boto3.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def upload(folder: Path, bucket: str, prefix: str) -> None:
    """Put a directory into a bucket as it is."""
    for file in folder.iterdir():
        boto3.client("s3").upload_file(str(file), bucket, f"{prefix}/{file.name}")
