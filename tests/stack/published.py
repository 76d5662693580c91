"""Small models in moto's S3, published as training does."""

from typing import Any

from api.model.schema import BOUNDS, FEATURES
from api.store import manifest

BUCKET = "housing-models"
OTHER_BUCKET = "other-models"
PREFIX = manifest.MODELS_PREFIX
REGION = "eu-central-1"


def new_bucket(s3: Any, name: str) -> str:
    """An empty bucket."""
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def publish(s3: Any, bucket: str, version: str, *, latest: bool = False) -> manifest.Manifest:
    """Put a small complete model where training would, and where it would as the latest one."""
    files = {"MLmodel": b"flavors: {}\n", "model.ubj": f"trees of {version}".encode()}
    published = manifest.Manifest(
        model_name=manifest.MODEL_NAME,
        model_version=version,
        run_id="0" * 32,
        trained_at="2026-01-01T00:00:00Z",
        xgboost_version="3.2.0",
        features=list(FEATURES),
        ranges=BOUNDS,
        known_answers=manifest.KnownAnswers(rows=[], predictions=[]),
        metrics={"test_rmse": 0.5},
        files={name: manifest.FileDigest.of(data) for name, data in files.items()},
    )
    for directory in (version, *(["latest"] if latest else [])):
        for name, data in {**files, manifest.MANIFEST_NAME: manifest.encode(published)}.items():
            s3.put_object(Bucket=bucket, Key=f"{PREFIX}/{directory}/{name}", Body=data)
    return published
