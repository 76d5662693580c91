"""What the program finds in an account: small models in moto's S3, published as training does, and a zone."""

import itertools
from typing import Any

import boto3

from api.store import manifest
from tests.california import BOUNDS, MODELS_PREFIX, SCHEMA

BUCKET = "housing-models"
OTHER_BUCKET = "other-models"
PREFIX = MODELS_PREFIX
REGION = "eu-central-1"


_references = itertools.count()


def new_bucket(s3: Any, name: str, region: str = REGION) -> str:
    """An empty bucket."""
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    return name


def new_zone(name: str, *, private: bool = False) -> str:
    """A zone in Route 53; returns its id."""
    network = {"VPC": {"VPCRegion": REGION, "VPCId": "vpc-1"}} if private else {}
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
