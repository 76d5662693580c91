"""The stack's own task that scores a table, run as Fargate runs it, with tables in emulated S3."""

import json
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xgboost

from stack.settings.config import Config
from stack.storage.model import PublishedModel
from stack.tasks.container import scoring_container
from tests.buckets import REGION, create_bucket
from tests.california import EXAMPLE, FEATURES, MODELS_PREFIX
from tests.container import engine, fargate, task
from tests.container.conftest import BASES, BUCKET, build

TABLES = "scored-tables"
CPU, MEMORY_MIB = 256, 512


@pytest.fixture(scope="module")
def scoring_image(docker_engine: None) -> str:
    """The image with what reads Parquet."""
    return build(BASES[0], scoring=True)


@pytest.fixture(scope="module")
def rows(moto_url: str) -> pd.DataFrame:
    """A table in two parts in S3; the second has a row that is refused."""
    create_bucket(TABLES)
    draw = np.random.default_rng(1)
    columns = {name: value * draw.uniform(0.9, 1.1, 100_000).astype("float32") for name, value in EXAMPLE.items()}
    table = pd.DataFrame(columns).assign(HouseAge=30, Latitude=35.5, Longitude=-120.5)
    table.insert(0, "id", range(len(table)))
    table.loc[99_999, "HouseAge"] = -1
    for part, some in enumerate((table.iloc[:80_000], table.iloc[80_000:])):
        body = some.to_parquet(index=False)
        boto3.client("s3").put_object(Bucket=TABLES, Key=f"houses/{part}.parquet", Body=body)
    return table


def definition(image: str, version: str = "1") -> dict[str, Any]:
    """The container definition that the stack makes."""
    config = Config(
        stack="dev",
        region=REGION,
        model_bucket=BUCKET,
        score_data=f"s3://{TABLES}/houses",
        score_out=f"s3://{TABLES}/scores",
    )
    model = PublishedModel(path=f"{MODELS_PREFIX}/1", version=version, sha256="")
    return scoring_container(config, model, image=image, log_group="unused")


def run(defined: dict[str, Any], moto_url: str) -> tuple[int, list[dict[str, Any]]]:
    """Its exit code and its log."""
    environment = {**task.ROLE, "AWS_ENDPOINT_URL": moto_url, "AWS_REGION": REGION}
    variables = [flag for name, value in environment.items() for flag in ("--env", f"{name}={value}")]
    flags = [*fargate.flags(defined, cpu=CPU, memory=MEMORY_MIB), *variables]
    with engine.running(defined["image"], *flags, command=defined["command"]) as container:
        state = container.wait(120, health="none of its own")
        return state["ExitCode"], container.lines()


def stored() -> dict[str, bytes]:
    """What lies among the scores, by name."""
    s3 = boto3.client("s3")
    found = s3.list_objects_v2(Bucket=TABLES, Prefix="scores/1/")["Contents"]
    return {
        each["Key"].removeprefix("scores/1/"): s3.get_object(Bucket=TABLES, Key=each["Key"])["Body"].read()
        for each in found
    }


def test_the_task_scores_a_table(
    scoring_image: str, bucket: str, moto_url: str, rows: pd.DataFrame, model_directory: Path
) -> None:
    """At a quarter of a vCPU and 512 MB it scores every row as XGBoost does, and says which it refused; twice alike."""
    code, lines = run(definition(scoring_image), moto_url)
    assert code == 4, lines
    first = stored()
    assert sorted(first) == ["0.parquet", "1.parquet", "_refused/1.parquet.jsonl", "_scoring.json"]
    scores = pa.concat_tables([pq.read_table(pa.BufferReader(first[name])) for name in ("0.parquet", "1.parquet")])
    good = rows.iloc[:-1]
    assert scores["id"].to_pylist() == good["id"].tolist()
    booster = xgboost.Booster(model_file=model_directory / "model.ubj")
    expected = booster.predict(xgboost.DMatrix(good[list(FEATURES)]))
    np.testing.assert_array_equal(scores["median_house_value"].to_numpy(), expected.astype(np.float64))
    assert json.loads(first["_refused/1.parquet.jsonl"])["row_number"] == 20_000
    code, lines = run(definition(scoring_image), moto_url)
    assert code == 4
    assert "2 of them before" in json.dumps(lines)
    assert stored() == first


def test_the_services_image_says_what_it_lacks(image: str, bucket: str, moto_url: str) -> None:
    """The small image ends with a line that says how to build the other."""
    environment = {**task.ROLE, "AWS_ENDPOINT_URL": moto_url}
    variables = [flag for name, value in environment.items() for flag in ("--env", f"{name}={value}")]
    command = ["python", "-m", "api.scoring", "--data", "s3://a/b", "--out", "s3://a/c"]
    with engine.running(image, "--network", "host", *variables, command=command) as container:
        assert container.wait(60, health="none of its own")["ExitCode"] == 1
        assert "--build-arg SCORING=true" in container.logs()
