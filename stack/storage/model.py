"""Which model is deployed: read from the bucket at deploy time, so that a broken or missing one stops the preview."""

import dataclasses
from typing import TYPE_CHECKING

import msgspec
import pulumi
from botocore.exceptions import BotoCoreError, ClientError

from api.store import manifest
from api.store.manifest import MANIFEST_NAME
from stack.settings.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ABSENT = {"404", "NoSuchKey", "NoSuchBucket", "NotFound"}


class ModelError(pulumi.RunError):
    """The configured path holds no complete model; the message names bucket and key."""


@dataclasses.dataclass(frozen=True)
class PublishedModel:
    """A complete model, and the names under which the tasks find exactly this one."""

    path: str
    """The model's directory: the immutable version's wherever there is one, even if the configuration says `latest`."""
    sha256: str
    """`api.store.manifest.identity` of its manifest."""
    version: str
    key_arns: tuple[str, ...] = ()
    """KMS keys of the account that its files are encrypted with, which the tasks need."""


def find(config: Config) -> PublishedModel | None:
    """Look up the model that the configuration names.

    None only in a first deployment: `create_model_bucket` is set, and the bucket does not exist or never held anything.

    Raises:
        ModelError: there is no complete model at `model_path`, or the bucket cannot be read, now or by the tasks.
    """
    try:
        s3: S3Client = config.account.client("s3", config.region)
        if config.create_model_bucket and _never_used(s3, config.model_bucket):
            return None
        if config.nat == "none":
            _require_region(s3, config)
        return _read(s3, config.model_bucket, config.model_path)
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and _code(error) == "NoSuchBucket":
            raise ModelError(
                f"model_bucket = {config.model_bucket!r}: there is no such bucket. Correct the name, or let the stack "
                "create it: `pulumi config set create_model_bucket true`"
            ) from error
        raise ModelError(
            f"model_bucket = {config.model_bucket!r}: cannot read s3://{config.model_bucket}/{config.model_path}: "
            f"{error}"
        ) from error


def _read(s3: "S3Client", bucket: str, path: str) -> PublishedModel:
    raw, key = _get(s3, bucket, f"{path}/{MANIFEST_NAME}")
    if raw is None:
        # Below a prefix a store's models lie as they do in a whole bucket.
        prefix, inside, _ = path.partition(manifest.MODELS_PREFIX)
        store = f"s3://{bucket}/{prefix}".rstrip("/") if inside else f"s3://{bucket}"
        raise ModelError(
            f"model_path = {path!r}: no model at s3://{bucket}/{path}: there is no key {path}/{MANIFEST_NAME}. "
            f"Publish one with `python -m training publish --store {store}`, "
            "or correct `pulumi config set model_path`"
        )
    try:
        found = manifest.decode(raw)
    except manifest.FormatError as error:
        raise ModelError(f"model_path = {path!r}: s3://{bucket}/{path}/{MANIFEST_NAME}: {error}") from error
    except msgspec.DecodeError as error:
        raise ModelError(
            f"model_path = {path!r}: s3://{bucket}/{path}/{MANIFEST_NAME} is not a manifest: {error}. Publish again"
        ) from error
    # `latest` is a copy: its version's own directory never changes, so tasks that scaling starts next week still find
    # the model that was deployed today.
    version = f"{path.rpartition('/')[0]}/{found.model_version}"
    pinned, key_of_pinned = _get(s3, bucket, f"{version}/{MANIFEST_NAME}")
    deployed, keys = (version, {key_of_pinned}) if pinned == raw else (path, {key})
    for name, digest in sorted(found.files.items()):
        size, key = _size(s3, bucket, f"{deployed}/{name}")
        keys.add(key)
        if size != digest.size:
            state = "is missing" if size is None else f"has {size} bytes instead of {digest.size}"
            raise ModelError(
                f"model_path = {path!r}: the model at s3://{bucket}/{path} is incomplete: key {deployed}/{name} "
                f"{state}. Publish it again"
            )
    return PublishedModel(
        path=deployed,
        sha256=manifest.identity(raw),
        version=found.model_version,
        # Of AES-256 there is none, and emulators of S3 name one by its id.
        key_arns=tuple(sorted(key for key in keys if key and key.startswith("arn:"))),
    )


def _require_region(s3: "S3Client", config: Config) -> None:
    """Without NAT, tasks reach the buckets of their own region and no others."""
    region = s3.head_bucket(Bucket=config.model_bucket).get("BucketRegion", config.region)
    if region != config.region:
        raise ModelError(
            f"model_bucket = {config.model_bucket!r}: lies in {region}; with nat = none it must lie in {config.region}"
        )


def _get(s3: "S3Client", bucket: str, key: str) -> tuple[bytes | None, str | None]:
    """An object's bytes, and the ARN of the KMS key that they are kept under."""
    try:
        found = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if _code(error) in ABSENT - {"NoSuchBucket"}:
            return None, None
        raise
    return found["Body"].read(), found.get("SSEKMSKeyId")


def _size(s3: "S3Client", bucket: str, key: str) -> tuple[int | None, str | None]:
    """How many bytes an object has, and the ARN of the KMS key that they are kept under."""
    try:
        found = s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if _code(error) in ABSENT:
            return None, None
        raise
    return found["ContentLength"], found.get("SSEKMSKeyId")


def _never_used(s3: "S3Client", bucket: str) -> bool:
    """Deleted objects count as use: emptying the bucket of a running service must not look like a first deployment."""
    try:
        page = s3.list_object_versions(Bucket=bucket, MaxKeys=1)
    except ClientError as error:
        if _code(error) in ABSENT:
            return True
        raise
    return not page.get("Versions") and not page.get("DeleteMarkers")


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
