"""A task that has no good model ends, and its last line says why."""

import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.container import engine, task
from tests.container.conftest import BUCKET, RunTask, republish

START_SECONDS = 60


def why_it_ended(container: engine.Container) -> str:
    """Wait for the end; returns the message of the last line."""
    state = container.wait(START_SECONDS)
    assert not state["Running"]
    assert state["ExitCode"] != 0
    message: str = container.lines()[-1]["message"]
    return message


def test_missing_model(run_task: RunTask, bucket: str) -> None:
    """A path without a model: the line names bucket and key, and the command that publishes one."""
    with run_task(path="nowhere/1") as container:
        message = why_it_ended(container)
    assert f"s3://{BUCKET}/nowhere/1/" in message
    assert "python -m training publish" in message


def test_corrupt_model(run_task: RunTask, bucket: str, model_directory: Path, tmp_path: Path) -> None:
    """A file that is not the published one is named."""
    folder = tmp_path / "1"
    shutil.copytree(model_directory, folder)
    (folder / "model.ubj").write_bytes((folder / "model.ubj").read_bytes()[:-1] + b"x")
    task.upload(folder, BUCKET, "corrupt/1")
    with run_task(path="corrupt/1") as container:
        message = why_it_ended(container)
    assert f"s3://{BUCKET}/corrupt/1/model.ubj" in message
    assert "publish it again" in message


def test_model_of_a_newer_xgboost(run_task: RunTask, bucket: str, model_directory: Path, tmp_path: Path) -> None:
    """A model that this service might read wrongly is refused, with both versions."""
    folder = tmp_path / "1"
    shutil.copytree(model_directory, folder)
    republish(folder, xgboost_version="99.1.0")
    task.upload(folder, BUCKET, "newer/1")
    with run_task(path="newer/1") as container:
        message = why_it_ended(container)
    assert "99.1.0" in message
    assert f"s3://{BUCKET}/newer/1" in message


class Denying(BaseHTTPRequestHandler):
    """S3 as a role without rights sees it."""

    def do_GET(self) -> None:
        """Refuse whatever is asked for."""
        body = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        self.send_response(403)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def denying_s3() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Denying)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_access_denied(run_task: RunTask, denying_s3: str) -> None:
    """A role without rights: the line names the object and the right that is missing."""
    with run_task(endpoint=denying_s3) as container:
        message = why_it_ended(container)
    assert "s3:GetObject" in message
    assert f"s3://{BUCKET}/" in message
