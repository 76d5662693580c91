"""S3 on its bad days: slow, throttling, failing, lying or away, at start and after it."""

import contextlib
import gc
import json
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import msgspec
import pytest

from api.errors import ModelRefused, ModelUnavailable
from api.store import fetch as fetching
from api.store import s3 as api_s3
from api.store.fetch import fetch
from api.store.manifest import LATEST, MANIFEST_NAME, decode, encode
from api.store.opening import open_store
from tests.api.faulty_s3 import FaultyS3, faulty_s3
from tests.buckets import create_bucket
from tests.california import MODELS_PREFIX
from tests.running import Serve

BUCKET = "california-housing-models"
PATH = f"{MODELS_PREFIX}/{LATEST}"
FAULTS = [
    "500 InternalError",
    "503 SlowDown",
    "429 TooManyRequests",
    "reset",
    "silence",
    "garbage",
    "a login page",
    "a body cut short",
    "a body cut short, its length corrected",
    "a reset in the body",
    "silence in the body",
    "404 NoSuchKey",
    "a length that is none",
    "408",
]


@pytest.fixture(scope="module")
def bucket(moto_url: str, model_directory: Path) -> str:
    """A bucket with a published version and `latest`, of no more files than are needed."""
    client = boto3.client("s3")
    create_bucket(BUCKET)
    manifest = decode((model_directory / MANIFEST_NAME).read_bytes())
    files = {name: manifest.files[name] for name in ("MLmodel", "model.ubj")}
    for directory in (manifest.model_version, LATEST):
        for name in files:
            client.upload_file(str(model_directory / name), BUCKET, f"{MODELS_PREFIX}/{directory}/{name}")
        body = encode(msgspec.structs.replace(manifest, files=files))
        client.put_object(Bucket=BUCKET, Key=f"{MODELS_PREFIX}/{directory}/{MANIFEST_NAME}", Body=body)
    return BUCKET


@pytest.fixture
def s3(bucket: str, moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    """The S3 that this process and those it starts talk to."""
    with faulty_s3(moto_url) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        yield server
    # botocore leaves the connection open whose answer it could not parse.
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for instead of made; and two seconds of silence are long."""
    asked: list[float] = []
    monkeypatch.setattr("api.store.fetch.time.sleep", asked.append)
    monkeypatch.setattr(api_s3, "SILENCE_SECONDS", 2.0)
    return asked


@pytest.mark.parametrize("fault", FAULTS)
def test_passing_fault_is_outwaited(
    s3: FaultyS3, pauses: list[float], caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """A fault that passes costs one pause and one line of the log, and the model arrives whole."""
    s3.faults.append(fault)
    assert fetch(open_store(BUCKET, PATH)).manifest is not None
    assert len(pauses) == 1
    lines = [record for record in caplog.records if record.name == "api.store.fetch"]
    assert [line.levelname for line in lines] == ["WARNING"]
    assert "attempt 1 of 6, trying again in" in caplog.text
    assert f"s3://{BUCKET}/{PATH}/" in caplog.text


@pytest.mark.parametrize("fault", FAULTS[::3])
def test_fault_that_lasts_is_given_up(s3: FaultyS3, pauses: list[float], fault: str) -> None:
    """A fault that does not pass ends the start, after ever longer pauses and with a message that says what it was."""
    s3.faults.extend([fault] * 100)
    with pytest.raises((ModelUnavailable, ModelRefused), match=f"s3://{BUCKET}/{PATH}/"):
        fetch(open_store(BUCKET, PATH))
    assert len(pauses) == fetching.ATTEMPTS - 1
    assert pauses == sorted(pauses)
    assert len(s3.asked) == fetching.ATTEMPTS


@pytest.mark.parametrize("fault", FAULTS[1::4])
def test_faulty_file_is_read_again(s3: FaultyS3, pauses: list[float], fault: str) -> None:
    """The same holds for each file after the manifest."""
    s3.faults.extend(["none", "none", fault])
    assert fetch(open_store(BUCKET, PATH)).manifest is not None
    assert len(pauses) <= 1


def test_body_without_a_length_is_read(s3: FaultyS3, pauses: list[float]) -> None:
    """A store that does not say how long its files are is read to the end of each."""
    s3.faults.extend(["a body without length"] * 100)
    assert fetch(open_store(BUCKET, PATH)).manifest is not None
    assert pauses == []


def test_endless_body_is_cut(s3: FaultyS3, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without a stated length is read to the limit and no further."""
    monkeypatch.setattr(fetching, "MAX_MANIFEST_BYTES", 100)
    s3.faults.append("a body without length")
    with pytest.raises(ModelRefused, match="more than 100 bytes"):
        fetch(open_store(BUCKET, PATH))


def test_denied_access_is_not_retried(s3: FaultyS3, pauses: list[float]) -> None:
    """What waiting cannot change ends the start at once, and the message says which right is missing."""
    s3.faults.append("403 AccessDenied")
    with pytest.raises(ModelUnavailable, match="s3:GetObject"):
        fetch(open_store(BUCKET, PATH))
    assert pauses == []


@pytest.mark.parametrize(
    ("bucket_name", "setting"),
    [(BUCKET, "MODEL_PATH"), ("no-such-bucket", "MODEL_BUCKET"), ("not a bucket!", "MODEL_BUCKET")],
)
def test_nothing_there_is_not_retried(s3: FaultyS3, pauses: list[float], bucket_name: str, setting: str) -> None:
    """A missing bucket or model ends the start at once, and the message names the setting to correct."""
    with pytest.raises(ModelUnavailable, match=setting):
        fetch(open_store(bucket_name, "no/such/model"))
    assert pauses == []


@pytest.mark.parametrize("fault", ["301", "307", "301 PermanentRedirect", "307 TemporaryRedirect"])
def test_bucket_elsewhere(s3: FaultyS3, pauses: list[float], fault: str) -> None:
    """A redirect that does not say where to ends the start after one request, and the message names AWS_REGION."""
    s3.faults.extend([fault] * 100)
    with pytest.raises(ModelUnavailable, match=f"set AWS_REGION.*{fault}") as caught:
        fetch(open_store(BUCKET, PATH))
    assert "301 301" not in str(caught.value)
    assert len(s3.asked) == 1
    assert pauses == []


def test_a_proxy_is_no_s3(s3: FaultyS3, pauses: list[float]) -> None:
    """A refusal in HTML is told as what it is: its status, and that S3 does not speak so."""
    s3.faults.extend(["403 of a proxy"] * 100)
    with pytest.raises(ModelUnavailable, match=r"HTTP status 403 and not S3's.*HTTPS_PROXY"):
        fetch(open_store(BUCKET, PATH))
    assert pauses == []


def test_a_bucket_serves_no_plain_model(s3: FaultyS3, pauses: list[float], moto_url: str) -> None:
    """A directory in a bucket that has no manifest is served only if that is asked for."""
    client = boto3.client("s3", endpoint_url=moto_url)
    for name in ("MLmodel", "model.ubj"):
        client.copy_object(Bucket=BUCKET, Key=f"plain/{name}", CopySource=f"{BUCKET}/{PATH}/{name}")
    with pytest.raises(ModelUnavailable, match=r"s3://.*manifest\.json is missing.*ALLOW_UNVERIFIED=true"):
        fetch(open_store(BUCKET, "plain"))
    assert len(pauses) == fetching.ATTEMPTS - 1
    assert fetch(open_store(BUCKET, "plain"), allow_unverified=True).manifest is None


def test_s3_away_is_given_up(bucket: str, pauses: list[float], monkeypatch: pytest.MonkeyPatch, moto_url: str) -> None:
    """When nobody listens, the start is given up with the address that did not answer."""
    with faulty_s3(moto_url) as gone:
        monkeypatch.setenv("AWS_ENDPOINT_URL", gone.url)
    with pytest.raises(ModelUnavailable, match="gave up after 6 attempts"):
        fetch(open_store(BUCKET, PATH))
    assert len(pauses) == fetching.ATTEMPTS - 1


@pytest.fixture
def without_keys(s3: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> FaultyS3:
    """A machine on which nothing gives credentials, yet."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    return s3


def test_no_credentials(without_keys: FaultyS3, pauses: list[float]) -> None:
    """A task without a role is told so."""
    with pytest.raises(ModelUnavailable, match="give the task a role"):
        fetch(open_store(BUCKET, PATH))
    assert pauses == []


@contextlib.contextmanager
def answering(*answers: tuple[int, bytes]) -> Iterator[str]:
    """A server that gives these answers, one after the other; yields its URL."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = left.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_request(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
    assert not left


def test_credentials_are_asked_for_again(
    without_keys: FaultyS3, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint of credentials that fails for a while costs a pause, as S3 does, not the start."""
    keys = {"AccessKeyId": "a", "SecretAccessKey": "b", "Token": "c", "Expiration": "2100-01-01T00:00:00Z"}
    # botocore asks three times before it gives up.
    with answering(*[(500, b"")] * 3, (200, b"not JSON"), (200, json.dumps(keys).encode())) as url:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        assert fetch(open_store(BUCKET, PATH)).manifest is not None
    assert len(pauses) == 1


def test_missing_token_is_named(without_keys: FaultyS3, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """A web identity whose token is not there ends the start with the file's name and the setting that gives it."""
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent/token")
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/service")
    with pytest.raises(ModelUnavailable, match=r"/nonexistent/token cannot be read.*AWS_WEB_IDENTITY_TOKEN_FILE"):
        fetch(open_store(BUCKET, PATH))
    assert pauses == []


def test_refused_role_is_named(
    without_keys: FaultyS3, pauses: list[float], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A role that may not be assumed is told apart from a right that is missing in S3."""
    (tmp_path / "token").write_text("a token")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/service")
    denied = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not you</Message></Error></ErrorResponse>"
    with answering((403, denied)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        with pytest.raises(ModelUnavailable, match=r"WebIdentity was answered 403.*Not you.*AWS_ROLE_ARN"):
            fetch(open_store(BUCKET, PATH))
    assert pauses == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ENDPOINT_URL", "nonsense"),
        ("AWS_PROFILE", "nobody"),
        ("AWS_CONFIG_FILE", __file__),
        ("AWS_RETRY_MODE", "perhaps"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://elsewhere.example/"),
    ],
)
def test_impossible_aws_setting_ends_the_start(
    without_keys: FaultyS3, pauses: list[float], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """What botocore cannot make sense of is told in its words, at once."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ModelUnavailable, match="AWS settings"):
        fetch(open_store(BUCKET, PATH))
    assert pauses == []


@pytest.mark.parametrize("change", ["replaced", "deleted"])
def test_torn_latest_is_read_from_its_version(s3: FaultyS3, pauses: list[float], moto_url: str, change: str) -> None:
    """While `latest` is being replaced, the version that its manifest names is read: no mixture, no pause."""
    client = boto3.client("s3", endpoint_url=moto_url)
    key = f"{PATH}/model.ubj"
    whole = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    if change == "replaced":
        client.put_object(Bucket=BUCKET, Key=key, Body=b"the next version's")
    else:
        client.delete_object(Bucket=BUCKET, Key=key)
    try:
        fetched = fetch(open_store(BUCKET, PATH))
    finally:
        client.put_object(Bucket=BUCKET, Key=key, Body=whole)
    assert fetched.files["model.ubj"] == whole
    assert fetched.where.endswith("/1/")
    assert pauses == []


def test_service_starts_through_a_bad_spell_and_outlives_s3(
    serve: Serve, s3: FaultyS3, example: dict[str, float]
) -> None:
    """A service that starts in a bad spell logs each retry, serves, and goes on serving when S3 is gone for good."""
    s3.faults.extend(["503 SlowDown", "none", "a reset in the body"])
    service = serve(MODEL_BUCKET=BUCKET, MODEL_PATH=PATH)
    assert service.url
    retries = [line for line in service.lines() if "trying again" in line["message"]]
    assert [line["level"] for line in retries] == ["WARNING", "WARNING"]
    s3.shutdown()
    s3.server_close()
    asked = len(s3.asked)
    with service.client() as client:
        assert client.post("/predict", json=example).status_code == 200
        assert client.get("/ready").json()["status"] == "ready"
    assert len(s3.asked) == asked


def test_service_gives_up_within_its_start_period(serve: Serve, s3: FaultyS3) -> None:
    """An S3 that sends a byte at a time trips no time-out of its own, but the start period ends it: exit code 1."""
    s3.faults.extend(["a byte at a time"] * 100)
    ended = serve(MODEL_BUCKET=BUCKET, MODEL_PATH=PATH, START_SECONDS="2")
    assert ended.url == ""
    assert ended.process.wait(30) == 1
    assert ended.lines()[-1]["level"] == "CRITICAL"
    assert "START_SECONDS=2" in ended.lines()[-1]["message"]
