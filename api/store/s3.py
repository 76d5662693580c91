"""A model directory in S3, read with botocore: boto3 around it would only add to the start."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self, cast

from botocore import exceptions as boto
from botocore.config import Config
from botocore.parsers import ResponseParserError
from botocore.session import get_session

from api.errors import ModelRefused, ModelUnavailable
from api.store.directory import MAX_FILE_BYTES, TransientError, check_name

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SILENCE_SECONDS = 10.0
"""How long S3 may say nothing at all before it is asked again."""

_PASSING_ERRORS = (
    boto.HTTPClientError,
    boto.ConnectionError,
    boto.IncompleteReadError,
    boto.CredentialRetrievalError,
    boto.MetadataRetrievalError,
    ResponseParserError,
)
_PASSING_CODES = {
    "SlowDown",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "Throttling",
    "ThrottlingException",
    "IDPCommunicationError",
}
_ELSEWHERE = "the bucket is in another region: set AWS_REGION to it"
_ADVICE = {
    "NoSuchKey": "there is no such object: check MODEL_PATH, and that the model was published to the end",
    "NoSuchBucket": "there is no such bucket: check MODEL_BUCKET",
    "AccessDenied": "access is denied: the task's role needs s3:GetObject on it (S3 also answers this for a missing "
    "object when the role may not list the bucket)",
    "PermanentRedirect": _ELSEWHERE,
    "TemporaryRedirect": _ELSEWHERE,
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "IllegalLocationConstraintException": _ELSEWHERE,
}


class S3Prefix:
    """A model directory in an S3 bucket."""

    must_be_published = True

    def __init__(self, bucket: str, prefix: str, client: "S3Client | None" = None) -> None:
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self.client = client

    def read(self, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """See `Store.read`."""
        check_name(name)
        # With the client come the credentials, which somebody has to be asked for too.
        self.client = self.client or self._connect()
        try:
            content = self._get(self.client, f"{self.prefix}/{name}", limit)
        except Exception as error:
            raise self._failure(name, error) from error
        if content is None or len(content) > limit:
            raise ModelRefused(f"{self.where(name)} has more than {limit} bytes: it is not what its name says")
        return content

    def _get(self, client: "S3Client", key: str, limit: int) -> bytes | None:
        """The object, or what of it is more than it may be; None if it says itself that it is too large."""
        response = client.get_object(Bucket=self.bucket, Key=key)
        length = response.get("ContentLength")
        if length is None:
            return response["Body"].read(limit + 1)
        return response["Body"].read() if length <= limit else None

    def _connect(self) -> "S3Client":
        try:
            return connect()
        except _PASSING_ERRORS as error:
            raise TransientError(f"{self.where()}: {error}") from error
        except Exception as error:
            raise ModelUnavailable(f"{self.where()}: S3 cannot be reached with these AWS settings: {error}") from error

    def _failure(self, name: str, error: Exception) -> Exception:
        """What a failure is to whoever reads: passing, unless it is known that waiting will not help."""
        where = self.where(name)
        match error:
            case boto.ClientError():
                return _refusal(where, error)
            case boto.NoCredentialsError():
                return ModelUnavailable(f"{where}: no AWS credentials were found; give the task a role")
            case boto.ParamValidationError() if "bucket" in str(error):
                return ModelUnavailable(f"{where} cannot be: {error}; correct MODEL_BUCKET")
            case OSError() if error.filename:
                return ModelUnavailable(
                    f"{where}: {error.filename} cannot be read: {error.strerror}; a setting of AWS's names it, such as "
                    "AWS_WEB_IDENTITY_TOKEN_FILE"
                )
            case boto.BotoCoreError() if not isinstance(error, _PASSING_ERRORS):
                return ModelUnavailable(f"{where}: {error}; correct the AWS settings")
        return TransientError(f"{where}: {error}")

    def where(self, name: str = "") -> str:
        """See `Store.where`."""
        return f"s3://{self.bucket}/{self.prefix}/{name}"

    def sibling(self, name: str) -> Self:
        """See `Store.sibling`."""
        parent = self.prefix.rpartition("/")[0]
        return type(self)(self.bucket, f"{parent}/{name}".strip("/"), self.client)


def _refusal(where: str, error: boto.ClientError) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    message = error.response.get("Error", {}).get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    # Where the body is not S3's own, botocore has the status for a code, or nothing.
    unknown = code in ("", str(status))
    answered = f"{status}" if unknown else f"{status} {code}"
    if status >= 500 or status in (408, 429) or code in _PASSING_CODES:
        return TransientError(f"{where}: {error.operation_name} was answered {answered}")
    if error.operation_name != "GetObject":
        return ModelUnavailable(
            f"{where}: AWS gave no credentials: {error.operation_name} was answered {answered} ({message}); check "
            "AWS_ROLE_ARN and whom that role trusts"
        )
    if code == "NoSuchKey":
        return FileNotFoundError(f"{where}: {_ADVICE[code]}")
    if code in _ADVICE or 300 <= status < 400:
        return ModelUnavailable(f"{where}: {_ADVICE.get(code, _ELSEWHERE)} (S3 answered {answered})")
    if unknown:
        return ModelUnavailable(
            f"{where}: the answer is HTTP status {status} and not S3's: a proxy or another server is between, see "
            "AWS_ENDPOINT_URL and HTTPS_PROXY"
        )
    return ModelUnavailable(f"{where}: S3 answered {answered}: {message}")


def connect(attempts: int = 1) -> "S3Client":
    """A client that asks so many times.

    Once, where a model is fetched: retries are `api.store.fetch`'s, so that each is logged and a body cut short is
    tried again as well.
    """
    session = get_session()
    # The metadata service of EC2 is asked by botocore alone, which else takes its first failure for its absence.
    session.set_config_variable("metadata_service_num_attempts", 3)
    config = Config(connect_timeout=3, read_timeout=SILENCE_SECONDS, retries={"total_max_attempts": attempts})
    client = cast("S3Client", session.create_client("s3", config=config))
    # Where S3 redirects without naming the region, botocore would ask for it, and for the region of that, and so on.
    client.meta.events.register("before-call.s3.HeadBucket", _no_answer)
    return client


def _no_answer(**_: Any) -> Any:
    return SimpleNamespace(status_code=200), {"ResponseMetadata": {"HTTPHeaders": {}}}
