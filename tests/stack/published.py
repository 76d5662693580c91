"""What the program finds in an account: small models in moto's S3, published as training does, and a zone."""

import itertools
from typing import Any
from unittest import mock

import boto3

from api.store import manifest
from tests.california import BOUNDS, MODELS_PREFIX, SCHEMA

BUCKET = "housing-models"
OTHER_BUCKET = "other-models"
PREFIX = MODELS_PREFIX
REGION = "eu-central-1"
KEY = f"arn:aws:kms:{REGION}:123456789012:key/0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0"
"""The platform team's key, which is there."""
ENCRYPTED_BUCKET = "encrypted-models"
"""A bucket whose objects are kept under it."""


_references = itertools.count()


def new_bucket(s3: Any, name: str, region: str = REGION) -> str:
    """An empty bucket."""
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    return name


def encrypt(s3: Any, bucket: str, key_arn: str) -> None:
    """Keep what is written to a bucket from now on under a key of KMS."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})


def new_key(id_: str = KEY.rpartition("/")[2], **kind: str) -> str:
    """A key in KMS with this id; returns its ARN."""
    with mock.patch("moto.kms.models.generate_key_id", return_value=id_):
        arn: str = boto3.client("kms", region_name=REGION).create_key(**kind)["KeyMetadata"]["Arn"]
    return arn


def new_zone(name: str, *, private: bool = False, vpc: str = "vpc-1") -> str:
    """A zone in Route 53; returns its id."""
    network = {"VPC": {"VPCRegion": REGION, "VPCId": vpc}} if private else {}
    zone = boto3.client("route53").create_hosted_zone(
        Name=name,
        CallerReference=str(next(_references)),
        HostedZoneConfig={"PrivateZone": private, "Comment": ""},
        **network,
    )
    return zone["HostedZone"]["Id"].rpartition("/")[2]


def publish(s3: Any, bucket: str, version: str, *, latest: bool = False) -> manifest.Manifest:
    """Put a small complete model where training would, and where it would as the latest one."""
    files = {"MLmodel": b"flavors: {}\n", "model.ubj": f"trees of {version}".encode()}
    published = manifest.Manifest(
        schema=SCHEMA,
        model_version=version,
        run_id="0" * 32,
        trained_at="2026-01-01T00:00:00Z",
        xgboost_version="3.2.0",
        ranges=BOUNDS,
        known_answers=manifest.KnownAnswers(rows=[], scores=[], predictions=[]),
        metrics={"test_rmse": 0.5},
        files={name: manifest.FileDigest.of(data) for name, data in files.items()},
    )
    for directory in (version, *(["latest"] if latest else [])):
        for name, data in {**files, manifest.MANIFEST_NAME: manifest.encode(published)}.items():
            s3.put_object(Bucket=bucket, Key=f"{PREFIX}/{directory}/{name}", Body=data)
    return published
