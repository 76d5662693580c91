"""A model directory in S3, read with botocore: boto3 around it would only add to the start."""

from typing import TYPE_CHECKING, Self, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError, ParamValidationError
from botocore.session import get_session

from api.errors import ModelRefused, ModelUnavailable
from api.store.directory import MAX_FILE_BYTES, TransientError, check_name

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SILENCE_SECONDS = 10.0
"""How long S3 may say nothing at all before it is asked again."""

_PASSING = {"SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "Throttling", "ThrottlingException"}
_ADVICE = {
    "NoSuchKey": "there is no such object: check MODEL_PATH, and that the model was published to the end",
    "NoSuchBucket": "there is no such bucket: check MODEL_BUCKET",
    "AccessDenied": "access is denied: the task's role needs s3:GetObject on it (S3 also answers this for a missing "
    "object when the role may not list the bucket)",
}


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
        except ParamValidationError as error:
            raise ModelUnavailable(f"{self.where(name)} cannot be: {error}; correct MODEL_BUCKET") from error
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
    # Retries are ours (api.store.fetch), so that each is logged and a body cut short is tried again as well.
    config = Config(connect_timeout=3, read_timeout=SILENCE_SECONDS, retries={"total_max_attempts": 1})
    try:
        return cast("S3Client", get_session().create_client("s3", config=config))
    except (BotoCoreError, ValueError) as error:
        raise ModelUnavailable(f"S3 cannot be reached with these AWS settings: {error}") from error
