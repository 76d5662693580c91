"""Where models are published: a local directory or a prefix in an S3 bucket, read file by file into memory.

Files never touch the service's disk: what was verified is what is loaded.
"""

import logging
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError

from api.errors import ModelRefused, ModelUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

MAX_FILE_BYTES = 512 * 2**20
"""No file of a model is larger; a bigger claim is refused before it is read."""

_PASSING = {"SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "Throttling", "ThrottlingException"}
_ADVICE = {
    "NoSuchKey": "there is no such object: check MODEL_PATH, and that the model was published to the end",
    "NoSuchBucket": "there is no such bucket: check MODEL_BUCKET",
    "AccessDenied": "access is denied: the task's role needs s3:GetObject on it (S3 also answers this for a missing "
    "object when the role may not list the bucket)",
}


class Store(Protocol):
    """A model directory, wherever it lies."""

    def read(self, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """Read one file of the directory, whole.

        Raises:
            FileNotFoundError: there is no such file.
            ModelRefused: its name leaves the directory, or it has more bytes than `limit`.
            ModelUnavailable: it could not be read, and trying again will not help.
            TransientError: it could not be read this time.
        """

    def where(self, name: str = "") -> str:
        """The directory, or a file in it, as a message should name it."""

    def sibling(self, name: str) -> Self:
        """The directory of that name beside this one."""


class TransientError(Exception):
    """The store failed in a way that passes: worth trying again."""


def check_name(name: str) -> None:
    """Refuse a file name that is not a plain relative path inside the directory."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or str(path) != name:
        raise ModelRefused(f"the model names a file {name!r}, which is not a path inside its directory")


class LocalDirectory:
    """A model directory on this machine."""

    def __init__(self, path: Path) -> None:
        # Resolved once: a `latest` link that is replaced meanwhile does not mix two models.
        self.path = _resolve(path)

    def read(self, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """See `Store.read`."""
        check_name(name)
        file = _resolve(self.path / name)
        if not file.is_relative_to(self.path):
            raise ModelRefused(f"{self.where(name)} is a link that leaves the model directory")
        try:
            size = file.stat().st_size
            if not file.is_file() or size > limit:
                raise ModelRefused(f"{self.where(name)} is not a file of at most {limit} bytes")
            return file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(self.where(name)) from None
        except OSError as error:
            raise ModelUnavailable(f"{self.where(name)} cannot be read: {error}") from error

    def where(self, name: str = "") -> str:
        """See `Store.where`."""
        return str(self.path / name)

    def sibling(self, name: str) -> Self:
        """See `Store.sibling`."""
        return type(self)(self.path.parent / name)


def _resolve(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:
        raise ModelUnavailable(f"{path} cannot be followed: {error}") from error


class S3Prefix:
    """A model directory in an S3 bucket."""

    def __init__(self, bucket: str, prefix: str, client: "S3Client | None" = None) -> None:
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self.client = client or _client()

    def read(self, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """See `Store.read`."""
        check_name(name)
        try:
            response = self.client.get_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}")
            length = response.get("ContentLength")
            if length is not None and length <= limit:
                return response["Body"].read()
            if length is None and len(content := response["Body"].read(limit + 1)) <= limit:
                return content
            raise ModelRefused(f"{self.where(name)} has more than {limit} bytes: it is not what its name says")
        except ClientError as error:
            raise self._failure(name, error) from error
        except NoCredentialsError as error:
            raise ModelUnavailable(
                f"{self.where(name)}: no AWS credentials were found; give the task a role"
            ) from error
        except (BotoCoreError, HTTPClientError, OSError) as error:
            raise TransientError(f"{self.where(name)}: {error}") from error

    def _failure(self, name: str, error: ClientError) -> Exception:
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500 or status == 429 or code in _PASSING:
            return TransientError(f"{self.where(name)}: {code} ({status})")
        if code == "NoSuchKey":
            return FileNotFoundError(f"{self.where(name)}: {_ADVICE[code]}")
        return ModelUnavailable(f"{self.where(name)}: {_ADVICE.get(code, str(error))}")

    def where(self, name: str = "") -> str:
        """See `Store.where`."""
        return f"s3://{self.bucket}/{self.prefix}/{name}"

    def sibling(self, name: str) -> Self:
        """See `Store.sibling`."""
        parent = self.prefix.rpartition("/")[0]
        return type(self)(self.bucket, f"{parent}/{name}".strip("/"), self.client)


def _client() -> "S3Client":
    # Retries are ours (api.fetch), so that each is logged and a body cut short is tried again as well.
    config = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1})
    try:
        return boto3.client("s3", config=config)
    except (BotoCoreError, ValueError) as error:
        raise ModelUnavailable(f"S3 cannot be reached with these AWS settings: {error}") from error


def open_store(bucket: str, path: str) -> Store:
    """The store that `MODEL_BUCKET` and `MODEL_PATH` name; an empty bucket means a local directory."""
    return S3Prefix(bucket, path) if bucket else LocalDirectory(Path(path))
