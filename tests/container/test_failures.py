"""A task that has no good model ends, and its last line says why."""

import shutil
from pathlib import Path

from tests.buckets import upload
from tests.container.conftest import BUCKET, RunTask, republish


def test_missing_model(run_task: RunTask, bucket: str) -> None:
    """A path without a model: the line names bucket and key, and the command that publishes one."""
    with run_task(path="nowhere/1") as container:
        message = container.last_message()
    assert f"s3://{BUCKET}/nowhere/1/" in message
    assert "python -m training publish" in message


def test_corrupt_model(run_task: RunTask, bucket: str, model_directory: Path, tmp_path: Path) -> None:
    """A file that is not the published one is named."""
    folder = tmp_path / "1"
    shutil.copytree(model_directory, folder)
    (folder / "model.ubj").write_bytes((folder / "model.ubj").read_bytes()[:-1] + b"x")
    upload(folder, BUCKET, "corrupt/1")
    with run_task(path="corrupt/1") as container:
        message = container.last_message()
    assert f"s3://{BUCKET}/corrupt/1/model.ubj" in message
    assert "publish it again" in message


def test_model_of_a_newer_xgboost(run_task: RunTask, bucket: str, model_directory: Path, tmp_path: Path) -> None:
    """A model that this service might read wrongly is refused, with both versions."""
    folder = tmp_path / "1"
    shutil.copytree(model_directory, folder)
    republish(folder, xgboost_version="99.1.0")
    upload(folder, BUCKET, "newer/1")
    with run_task(path="newer/1") as container:
        message = container.last_message()
    assert "99.1.0" in message
    assert f"s3://{BUCKET}/newer/1" in message
