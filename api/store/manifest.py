"""The model directory, defined here and nowhere else: a model as MLflow wrote it, and beside it `manifest.json`.

Training writes the manifest last, so a directory that has one is complete. The service verifies it before it loads
anything, and takes from it what a row and an answer are; the stack reads it at deploy time to know which model it
deploys.

The store's layout, for a bucket or a local directory alike::

    mlflow/models/<name>/6/        immutable
        MLmodel  model.ubj  ...  manifest.json
    mlflow/models/<name>/latest/   the same files and manifest as the promoted version
"""

import hashlib
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from api.store.schema import Schema

MANIFEST_NAME = "manifest.json"
MODELS_PREFIX = "mlflow/models"
LATEST = "latest"
PREDICTIONS = ""
"""Stands for the model's own predictions beside the names of features, none of which is empty."""
FORMAT = 2
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
    """Rows in the model's own numbers and what XGBoost predicted for them: float32 values, written in full."""

    rows: list[list[float | None]]
    """In feature order; categories and yes/no as their codes, None where a value is missing."""
    scores: list[list[float]]
    """For each row the raw score of each output, before the link function."""
    predictions: list[list[float]]
    """For each row what each output predicts: a number, the probability of yes, or that of each class."""


class IntervalBins(msgspec.Struct, frozen=True):
    """The 90 % prediction interval of a number, whose width follows the prediction.

    A prediction lies in the bin after the last of `edges` that it reaches; its interval is `low` below to `high` above.
    """

    edges: Annotated[list[float], Meta(description="Ascending; one fewer than there are bins.", examples=[[1.5]])]
    low: Annotated[
        list[float],
        Meta(description="For each bin how far the interval reaches below the prediction.", examples=[[0.5, 0.75]]),
    ]
    high: Annotated[list[float], Meta(description="For each bin how far it reaches above.", examples=[[0.5, 1.0]])]


class Shares(msgspec.Struct, frozen=True):
    """How often each bin of a column occurred: of numbers those between `edges`, of categories each by its code."""

    edges: list[float]
    shares: list[float]
    """Of a category as many as it has values; of a number one more than `edges`. Missing values are not counted."""
    rows: int = 0
    """How many values were counted; 0 where it is not known, in manifests that are older."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the service needs to know about a model besides its trees."""

    schema: Schema
    model_version: str
    run_id: str
    trained_at: str
    """UTC, ISO 8601."""
    xgboost_version: str
    table_sha256: str = ""
    """Of the table's description file, as it was at training."""
    ranges: dict[str, tuple[float, float]]
    """Lowest and highest training value of each number; outside, a prediction is an extrapolation."""
    known_answers: KnownAnswers
    metrics: dict[str, float]
    """Test metrics, such as `test_rmse`, in target units, or `test_log_loss`."""
    interval: IntervalBins | None = None
    """Of a number; None where the model was not calibrated."""
    label_threshold: float | None = None
    """Of classes: those at least as probable form the set that holds the true one for 90 of 100 rows."""
    distribution: dict[str, Shares] = msgspec.field(default_factory=dict)
    """Of the training rows, by feature, and under `PREDICTIONS` of what was predicted: numbers, the probability of yes,
    or the most probable class. Drift is measured against it."""
    files: dict[str, FileDigest]
    """Relative path of each file besides the manifest itself; '/' separates, no path leaves the directory."""
    format: int = FORMAT

    @property
    def model_name(self) -> str:
        """The registered model."""
        return self.schema.name


class _Format(msgspec.Struct, frozen=True):
    format: int = 1


def models_prefix(name: str) -> str:
    """Where the versions of the model of that name lie in a store."""
    return f"{MODELS_PREFIX}/{name}"


def is_published_name(directory: str) -> bool:
    """Whether a directory has a name that a store gives: `latest`, or a version's number."""
    return directory == LATEST or (directory.isascii() and directory.isdigit())


def encode(manifest: Manifest) -> bytes:
    """The manifest as published: indented JSON, the same bytes for the same content."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"


def decode(raw: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        FormatError: it is one of another format.
        msgspec.DecodeError: it is not JSON, or not a manifest (`msgspec.ValidationError` names the field).
    """
    if (found := msgspec.json.decode(raw, type=_Format).format) != FORMAT:
        raise FormatError(found)
    return msgspec.json.decode(raw, type=Manifest)


class FormatError(ValueError):
    """A manifest of another format than this program reads; its message says what to do."""

    def __init__(self, found: int) -> None:
        advice = (
            "publish the model again with this program's training"
            if found < FORMAT
            else "deploy a service as new as the training that published it"
        )
        super().__init__(f"the manifest has format {found}, and this program reads {FORMAT}: {advice}")


def identity(raw: bytes) -> str:
    """The sha256 of the manifest's bytes: names a published model exactly, down to every byte of every file."""
    return hashlib.sha256(raw).hexdigest()
