"""`training score`: the same scores as the image makes, here, from S3 and on a cluster."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import boto3
import pytest

from tests.api.scoring.scored import contents, score
from tests.api.tables import Table, frame_of, publish_table
from tests.buckets import create_bucket, upload
from training.__main__ import run


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """A published model."""
    return publish_table("claims", tmp_path_factory.mktemp("model") / "1")


@pytest.fixture(scope="module")
def made(table: Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table in three parts, in which one row is refused, and the scores that the image would make."""
    home = tmp_path_factory.mktemp("made")
    (home / "data").mkdir()
    for part in range(3):
        rows = frame_of(table.schema, rows=100, seed=part).assign(part=part)
        rows.loc[50, "size"] = 1000.0 if part == 1 else 1.0
        rows.to_parquet(home / "data" / f"{part}.parquet")
    done = score(table.folder, "--data", home / "data", "--out", home / "scores", "--processes", 1)
    assert done.returncode == 4, done.stdout
    return home


def test_the_command(table: Table, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scores as the image does, and says in one line what came of it."""
    out = tmp_path / "out"
    code = run(["score", str(table.folder), "--data", str(made / "data"), "--out", str(out), "--processes", "1"])
    assert code == 4
    assert contents(out) == contents(made / "scores")
    assert "299 rows of 3 parts are scored" in capsys.readouterr().out


def test_what_is_wrong_is_one_line(table: Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And exit code 1."""
    assert run(["score", str(table.folder), "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith(f"Error: {tmp_path} names no files")


def test_s3(table: Table, made: Path, moto_url: str) -> None:
    """Model, table and scores in buckets: the rows are those of files here; a second run writes nothing."""
    bucket = create_bucket("scoring")
    upload(table.folder, bucket, "mlflow/models/claims/1")
    upload(made / "data", bucket, "rows/day=1")
    model, data, out = (
        f"s3://{bucket}/mlflow/models/claims/1",
        f"s3://{bucket}/rows/*/*.parquet",
        f"s3://{bucket}/scores/1",
    )
    done = score(model, "--data", data, "--out", out, "--processes", 2)
    assert done.returncode == 4, done.stdout + done.stderr

    def written() -> dict[str, str]:
        found = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix="scores/1/")["Contents"]
        return {each["Key"].removeprefix("scores/1/"): str(each["LastModified"]) + each["ETag"] for each in found}

    before = written()
    assert sorted(before) == [
        "_refused/day=1/1.parquet.jsonl", "_scoring.json", *(f"day=1/{part}.parquet" for part in range(3)),
    ]  # fmt: skip
    again = score("--data", data, "--out", out, MODEL_BUCKET=bucket, MODEL_PATH="mlflow/models/claims/1")
    assert again.returncode == 4
    assert written() == before


def test_s3_says_what_is_wrong(table: Table, moto_url: str) -> None:
    """A bucket that is not there is named."""
    done = score(table.folder, "--data", "s3://no-such-bucket/rows", "--out", "s3://no-such-bucket/scores")
    assert done.returncode == 1
    assert "s3://no-such-bucket/rows/: ListObjectsV2 was answered NoSuchBucket" in done.stdout


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a Dask cluster of two worker processes."""
    local_cluster = import_module("distributed").LocalCluster
    with local_cluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def test_on_a_cluster(table: Table, made: Path, scheduler: str, tmp_path: Path) -> None:
    """Workers make the same files."""
    out = tmp_path / "out"
    code = run(["score", str(table.folder), "--data", str(made / "data"), "--out", str(out), "--cluster", scheduler])
    assert code == 4
    assert contents(out) == contents(made / "scores")
