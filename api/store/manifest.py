"""The model directory, defined here and nowhere else: a model as MLflow wrote it, and beside it `manifest.json`.

Training writes the manifest last, so a directory that has one is complete. The service verifies it before it loads
anything; the stack reads it at deploy time to know which model it deploys.

The store's layout, for a bucket or a local directory alike::

    mlflow/models/california-housing/6/        immutable
        MLmodel  model.ubj  ...  manifest.json
    mlflow/models/california-housing/latest/   the same files and manifest as the promoted version
"""

import hashlib
from typing import Self

import msgspec

MANIFEST_NAME = "manifest.json"
MODEL_NAME = "california-housing"
MODELS_PREFIX = f"mlflow/models/{MODEL_NAME}"
LATEST = "latest"
FORMAT = 1
"""Of the manifest; another one may mean something else by the same fields."""


class FileDigest(msgspec.Struct, frozen=True):
    """What a file must be, byte for byte."""

    sha256: str
    size: int

    @classmethod
    def of(cls, content: bytes) -> Self:
        """The digest of a file with this content."""
        return cls(hashlib.sha256(content).hexdigest(), len(content))


class KnownAnswers(msgspec.Struct, frozen=True):
    """Rows in feature order and what XGBoost predicted for them at training, float32 values written in full."""

    rows: list[list[float]]
    predictions: list[float]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the service needs to know about a model besides its trees."""

    model_name: str
    model_version: str
    run_id: str
    trained_at: str
    """UTC, ISO 8601."""
    xgboost_version: str
    features: list[str]
    """Column names in the model's order: must equal `api.model.schema.FEATURES`."""
    ranges: dict[str, tuple[float, float]]
    """Lowest and highest training value of each feature; outside, a prediction is an extrapolation."""
    known_answers: KnownAnswers
    metrics: dict[str, float]
    """Test metrics in target units, such as `test_rmse`."""
    interval_half_width: float | None = None
    """Half the width of the 90 % prediction interval, in target units; None where the model was not calibrated."""
    files: dict[str, FileDigest]
    """Relative path of each file besides the manifest itself; '/' separates, no path leaves the directory."""
    format: int = FORMAT


def is_published_name(directory: str) -> bool:
    """Whether a directory has a name that a store gives: `latest`, or a version's number."""
    return directory == LATEST or (directory.isascii() and directory.isdigit())


def encode(manifest: Manifest) -> bytes:
    """The manifest as published: indented JSON, the same bytes for the same content."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"


def decode(raw: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        msgspec.DecodeError: it is not JSON, or not a manifest (`msgspec.ValidationError` names the field).
    """
    return msgspec.json.decode(raw, type=Manifest)


def identity(raw: bytes) -> str:
    """The sha256 of the manifest's bytes: names a published model exactly, down to every byte of every file."""
    return hashlib.sha256(raw).hexdigest()
