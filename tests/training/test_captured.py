"""Captured rows read back from CloudWatch Logs, with and without their truth."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from msgspec import structs

from tests.california import EXAMPLE, SCHEMA, TABLE, TARGET
from tests.training.capturing import GROUP, keep, line
from training.__main__ import run
from training.errors import DataError, DescriptionError, LogsError
from training.rows import data
from training.tables.description import FeatureSays, Table, TargetSays
from training.watching import captured, logs, truth

ANSWER = {SCHEMA.target.answer: 4.1, "interval": {"low": 3.2, "high": 5.0}, "extrapolated": ["MedInc"]}
NOW = datetime.now(UTC).replace(microsecond=0)

FLOWERS = Table(
    name="flowers",
    target=TargetSays(column="kind", kind="category", classes=("aster", "iris")),
    features={
        "time": FeatureSays(),
        "row": FeatureSays(kind="category", categories=("a", "b"), missing=True),
        "request_id": FeatureSays(kind="boolean"),
    },
)
"""Features with the names of what is captured beside them."""
FLOWER = {"time": 3, "row": None, "request_id": True}
IRIS = {"label": "iris", "probabilities": {"aster": 0.25, "iris": 0.75}, "set": ["iris"], "extrapolated": []}


@pytest.fixture
def group(moto_url: str) -> Iterator[str]:
    """The name of a log group that is not there yet."""
    yield GROUP
    client = boto3.client("logs")
    for found in client.describe_log_groups()["logGroups"]:
        client.delete_log_group(logGroupName=found["logGroupName"])


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The commands leave this process's signals alone, and write where nothing is."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.chdir(tmp_path)


def ask(*options: str) -> int:
    return run(["captured", "--log-group", GROUP, "--out", "rows.parquet", *options])


def test_rows_come_back_as_they_were_sent(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every captured row of the time asked for is in the file, typed; older ones and other lines are not."""
    times = [NOW - timedelta(days=8), NOW - timedelta(days=6), NOW - timedelta(minutes=1), NOW - timedelta(minutes=1)]
    texts = [
        line(EXAMPLE, ANSWER, times[0], "old"),
        line(EXAMPLE, ANSWER, times[1], "first", row=3, model_version="7"),
        line(EXAMPLE, {**ANSWER, "interval": None}, times[2], "second"),
        "relay: listening",
    ]
    keep(texts, times)
    assert ask("--since", "7d") == 0
    said = capsys.readouterr().out
    assert "rows.parquet has 2 rows; 1 of the lines hold none: it is not JSON (1)." in said
    assert "python -m training drift --captured rows.parquet" in said
    rows = pd.read_parquet("rows.parquet")
    assert list(rows.columns)[: len(EXAMPLE)] == list(EXAMPLE)
    first = rows.iloc[0].to_dict()
    assert {name: first[name] for name in EXAMPLE} == EXAMPLE
    assert first[captured.TIME] == times[1]
    assert (first[captured.REQUEST_ID], first[captured.ROW], first[captured.MODEL_VERSION]) == ("first", 3, "7")
    assert (first[captured.PREDICTION], first[captured.LOW], first[captured.HIGH]) == (4.1, 3.2, 5.0)
    assert first[captured.EXTRAPOLATED].tolist() == ["MedInc"]
    assert np.isnan(rows[captured.LOW][1])


def test_more_rows_than_a_page_and_a_group(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are followed to the last, and written a group of rows at a time."""
    monkeypatch.setattr(captured, "_ROWS_OF_A_GROUP", 5_000)
    times = [NOW - timedelta(minutes=5) + timedelta(milliseconds=i) for i in range(12_000)]
    keep([line(EXAMPLE, ANSWER, at, str(i)) for i, at in enumerate(times)], times)
    assert ask() == 0
    assert pd.read_parquet("rows.parquet")[captured.REQUEST_ID].astype(int).tolist() == list(range(12_000))
    assert pq.ParquetFile("rows.parquet").num_row_groups == 3


def test_features_may_have_the_names_of_what_is_captured_beside_them() -> None:
    """Features named time, row or request_id are columns of their own; a name with the file's prefix is refused."""
    schema = FLOWERS.schema()
    (row,) = captured.Lines(schema).records([line(FLOWER, IRIS, NOW, "r")])
    assert (row["time"], row["row"], row["request_id"]) == (3.0, None, True)
    assert (row[captured.TIME], row[captured.ROW], row[captured.REQUEST_ID]) == (NOW, 0, "r")
    assert (row[captured.PREDICTION], row[f"{captured.PROBABILITY}iris"], row[captured.LABELS]) == (
        "iris",
        0.75,
        ["iris"],
    )
    taken = structs.replace(FLOWERS, features={**FLOWERS.features, "captured.time": FeatureSays()})
    with pytest.raises(DescriptionError, match=r"rename 'captured\.time'"):
        captured.Lines(taken.schema())


@pytest.mark.parametrize(
    ("features", "prediction", "others", "reason"),
    [
        ({**FLOWER, "colour": 1}, IRIS, {}, "the table has no feature 'colour'"),
        ({"row": "a", "request_id": True}, IRIS, {}, "it has no time"),
        ({**FLOWER, "time": "3"}, IRIS, {}, "time is not a number"),
        ({**FLOWER, "request_id": 1}, IRIS, {}, "request_id is not a boolean"),
        (FLOWER, {"kind": 1.0}, {}, "missing required field `label`"),
        (FLOWER, {**IRIS, "probabilities": {"rose": 1.0}}, {}, "its classes are not the table's: rose"),
        (FLOWER, IRIS, {"row": -1}, "Expected `int` >= 0"),
        (FLOWER, IRIS, {"time": "yesterday"}, "Invalid RFC3339"),
    ],
)
def test_lines_that_hold_no_row_are_counted(
    features: dict[str, Any], prediction: dict[str, Any], others: dict[str, Any], reason: str
) -> None:
    """A line that the table's service did not write is left out, and why is counted."""
    lines = captured.Lines(FLOWERS.schema())
    bad = line(features, prediction, NOW, "r", **others)
    assert len([*lines.records([bad, line(FLOWER, IRIS, NOW, "good"), "{"])]) == 1
    (why,) = [text for text in lines.refused if reason in text]
    assert lines.refused == {why: 1, "it is not JSON": 1}
    assert lines.taken == 1


def test_a_row_that_was_kept_twice_is_there_once(tmp_path: Path) -> None:
    """A request that was sent again, or a line that was logged again, counts once; another row of its name does not."""
    again = line(FLOWER, IRIS, NOW + timedelta(seconds=1), "r")
    texts = [line(FLOWER, IRIS, NOW, "r"), again, line({**FLOWER, "time": 4}, IRIS, NOW, "r")]
    captured.write(captured.Lines(FLOWERS.schema()).records(texts), FLOWERS.schema(), tmp_path / "rows.parquet")
    assert captured.load(tmp_path / "rows.parquet")["time"].tolist() == [3.0, 4.0]


def test_no_log_group(moto_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A log group that is not there is said to be missing, with the way to its name; nothing is written."""
    assert ask() == 1
    said = capsys.readouterr().err
    assert f"no log group {GROUP} in us-west-2" in said
    assert "pulumi stack output capture_log_group" in said
    assert not [*Path().iterdir()]


def test_no_rows(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A group without a row leaves the file of the last time alone, and says what it has instead."""
    Path("rows.parquet").write_bytes(b"good")
    keep(["hello"], [NOW])
    assert ask("--since", "1h") == 1
    assert "got no captured row of california-housing in this time; 1 of the lines hold none" in capsys.readouterr().err
    assert Path("rows.parquet").read_bytes() == b"good"


def test_broken_off(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends a download in the middle leaves the file that was there, and no part of another."""
    Path("rows.parquet").write_bytes(b"good")
    keep([line(EXAMPLE, ANSWER, NOW, "r")], [NOW])
    real = logs.messages

    def interrupted(*arguments: Any) -> Iterator[str]:
        yield from real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(logs, "messages", interrupted)
    assert ask() == 130
    assert [(file.name, file.read_bytes()) for file in Path().iterdir()] == [("rows.parquet", b"good")]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "may not be read; logs:FilterLogEvents on it is needed: "),
        ("ThrottlingException", "cannot be read: "),
    ],
)
def test_refused_by_aws(moto_url: str, monkeypatch: pytest.MonkeyPatch, code: str, said: str) -> None:
    """Who has no right is told which one is needed, who is throttled to the last try what AWS said."""

    class Refusing:
        meta = boto3.client("logs").meta

        def get_paginator(self, _: str) -> "Refusing":
            return self

        def paginate(self, **_: Any) -> Iterator[Any]:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "FilterLogEvents")
            yield

    monkeypatch.setattr(boto3, "client", lambda *_, **__: Refusing())
    with pytest.raises(LogsError, match=f"^{GROUP} in us-west-2 {said}.*{code}"):
        next(logs.messages(GROUP, timedelta(hours=1)))


@pytest.mark.parametrize(("text", "span"), [("30m", {"minutes": 30}), ("12h", {"hours": 12}), ("2w", {"weeks": 2})])
def test_spans_of_time(text: str, span: dict[str, int]) -> None:
    """Minutes, hours, days and weeks are a number and a letter."""
    assert logs.duration(text) == timedelta(**span)


@pytest.mark.parametrize("text", ["7", "d", "0d", "-1d", "7 days", "1.5h", "", "999999w", "٣d"])
def test_spans_of_time_that_are_none(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A span that is none is wrong usage, and what one looks like is said."""
    assert ask("--since", text) == 2
    said = capsys.readouterr().err
    assert "30m, 12h, 7d or 2w" in said or "longer than CloudWatch keeps any log" in said


@pytest.mark.parametrize(
    ("out", "said"), [("rows.csv", "does not end in .parquet"), ("no/rows.parquet", "no folder no")]
)
def test_where_to(out: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no file can be written is found before anything is asked."""
    assert run(["captured", "--log-group", GROUP, "--out", out]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_with_their_truth_they_are_rows_to_train_on(
    group: str, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    """Joined to true values by request and row, the file is one that `train --data` reads."""
    sample = table.head(150)
    times = [NOW - timedelta(hours=1)] * len(sample)
    rows = sample[list(TABLE.features)].to_dict("records")
    keep([line(row, ANSWER, NOW, f"r{i // 2}", row=i % 2) for i, row in enumerate(rows)], times)
    known = pd.DataFrame({"request_id": [f"r{i // 2}" for i in range(150)], "row": [i % 2 for i in range(150)]})
    known[TARGET] = sample[TARGET].where(np.arange(150) < 120)
    known.to_csv("truth.csv", index=False)
    assert ask("--truth", "truth.csv") == 0
    said = capsys.readouterr().out
    assert "rows.parquet has 120 of 150 rows, with their truth." in said
    assert "python -m training train --data rows.parquet" in said
    loaded = data.load(TABLE, Path("rows.parquet"))
    pd.testing.assert_frame_equal(loaded.table, table.head(120)[loaded.table.columns.tolist()])


def test_what_the_rows_are_split_by_comes_with_the_truth(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A column that splits the table and is no feature is taken from the file of true values, or missed in words."""
    split = structs.replace(TABLE, split=structs.replace(TABLE.split, by="group", column="city"))
    pd.DataFrame({"request_id": ["a"], "city": ["Davis"], TARGET: [1.5]}).to_parquet("truth.parquet")
    loaded = truth.load(Path("truth.parquet"), split)
    assert loaded["city"].tolist() == ["Davis"]
    assert loaded[captured.ROW].tolist() == [0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("request_id,row\na,0", f"needs a column '{TARGET}', once"),
        (f"id,{TARGET}\na,1", "needs a column 'request_id', once"),
        (f"request_id,{TARGET}\na,dear", "row 1: 'dear' is not a finite number"),
        (f"request_id,row,{TARGET}\na,0,1\na,x,2", "row 2: row 'x' is no place in a request"),
        (f"request_id,row,{TARGET}\na,1,1\na,1,2", "more than one true value of request a"),
    ],
)
def test_files_of_true_values_that_are_none(tmp_path: Path, content: str, said: str) -> None:
    """What is wrong with a file of true values is said by column and row."""
    (tmp_path / "truth.csv").write_text(content)
    with pytest.raises(DataError, match=said):
        truth.load(tmp_path / "truth.csv", TABLE)


def test_requests_of_one_name_have_no_truth() -> None:
    """Where a caller gave one name to several requests nobody knows whose a true value is: none of them has it."""
    rows = pd.DataFrame({captured.REQUEST_ID: ["a", "a", "b"], captured.ROW: [0, 0, 0], "x": [1, 2, 3]})
    known = pd.DataFrame({captured.REQUEST_ID: ["a", "b"], captured.ROW: [0, 0], "y": [5, 6]})
    assert truth.join(rows, known)[["x", "y"]].to_numpy().tolist() == [[3, 6]]
    with pytest.raises(DataError, match="None of the 1 true values is of one of the 3 captured rows"):
        truth.join(rows, known.head(1))
