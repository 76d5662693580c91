"""A table in parts: which files belong to it, and what is read of them."""

from pathlib import Path

import boto3
import numpy as np
import pandas as pd
import pytest

from tests.buckets import create_bucket
from training.errors import DataError
from training.rows.files import read
from training.rows.parts import find

ROWS = pd.DataFrame(
    {
        "number": [1.5, np.nan, 3.25, -4.0, 5.0],
        "whole": [1, 2, 3, 4, 5],
        "text": ["a", None, "b c", "ä;ö", "1"],
        "yes": [True, False, True, True, False],
        "kind": pd.Categorical(["x", "y", None, "x", "y"]),
    }
)


def names(data: object) -> list[str]:
    """The last part of the name of each file that is found."""
    return [Path(part.name).name for part in find(str(data))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files of rows, and what programs leave beside them."""
    (tmp_path / "below" / "_temporary").mkdir(parents=True)
    for place in ("b.parquet", "a.parquet", "below/c.parquet", ".hidden.parquet", "below/_temporary/d.parquet"):
        ROWS.to_parquet(tmp_path / place)
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "empty.parquet").touch()
    (tmp_path / "README.md").write_text("what this is")
    return tmp_path


def test_a_folder(folder: Path) -> None:
    """All tables below it, sorted by name; nothing hidden, empty or of another kind."""
    assert names(folder) == ["a.parquet", "b.parquet", "c.parquet"]
    assert names(f"{folder}/") == ["a.parquet", "b.parquet", "c.parquet"]


def test_a_glob(folder: Path) -> None:
    """A pattern takes what it matches, in its own folder or, by two stars, below it."""
    assert names(folder / "*.parquet") == ["a.parquet", "b.parquet"]
    assert names(folder / "**" / "*.parquet") == ["a.parquet", "b.parquet", "c.parquet"]
    assert names(folder / "[b-z].parquet") == ["b.parquet"]


def test_one_file(folder: Path) -> None:
    """A file is one part, also where its name looks like a pattern."""
    ROWS.to_parquet(folder / "odd[1].parquet")
    assert names(folder / "a.parquet") == ["a.parquet"]
    assert names(folder / "odd[1].parquet") == ["odd[1].parquet"]


def test_nothing_there(tmp_path: Path) -> None:
    """What was named is said, and what can be named."""
    for data in (tmp_path, tmp_path / "no" / "*.csv"):
        with pytest.raises(DataError, match=r"no CSV or Parquet file with anything in it.*in quotes") as caught:
            find(str(data))
        assert str(data) in str(caught.value)


def test_two_kinds_in_a_folder(folder: Path) -> None:
    """The same rows as CSV and as Parquet are not counted twice."""
    ROWS.to_csv(folder / "a.csv", index=False)
    with pytest.raises(DataError, match="both CSV and Parquet"):
        find(str(folder))
    assert names(folder / "*.csv") == ["a.csv"]


@pytest.mark.parametrize("kind", ["parquet", "csv", "csv.gz"])
@pytest.mark.parametrize("rows", [1, 2, 5, None])
def test_batches_are_the_file(tmp_path: Path, kind: str, rows: int | None) -> None:
    """However many rows at a time: together they are what the reader of one file gives, to the type."""
    file = tmp_path / f"rows.{kind}"
    ROWS.to_parquet(file) if kind == "parquet" else ROWS.to_csv(file, index=False, sep=";", decimal=",")
    whole = read(file)
    (part,) = find(str(file))
    batches = list(part.batches(rows=rows))
    assert [len(batch.table) for batch in batches] == [min(rows or 5, 5 - at) for at in range(0, 5, rows or 5)]
    assert [batch.before for batch in batches] == list(range(0, 5, rows or 5))
    assert {(batch.recognised, batch.decimal) for batch in batches} == {(whole.recognised, whole.decimal)}
    pd.testing.assert_frame_equal(pd.concat([batch.table for batch in batches], ignore_index=True), whole.table)
    pd.testing.assert_frame_equal(part.read().table, whole.table)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_some_columns(tmp_path: Path, kind: str) -> None:
    """Only the columns that are asked for are read; all of them where one is missing, for the error to name."""
    file = tmp_path / f"rows.{kind}"
    ROWS.to_parquet(file) if kind == "parquet" else ROWS.to_csv(file, index=False)
    (part,) = find(str(file))
    assert set(part.read(["whole", "text"]).table) == {"whole", "text"}
    assert set(part.read(["whole", "other"]).table) == set(ROWS)


def test_a_file_without_rows(tmp_path: Path) -> None:
    """It has its columns."""
    ROWS.head(0).to_parquet(tmp_path / "a.parquet")
    ROWS.head(0).to_csv(tmp_path / "b.csv", index=False)
    for name in ("a.parquet", "b.csv"):
        (part,) = find(str(tmp_path / name))
        assert [list(batch.table) for batch in part.batches()] == [list(ROWS)]
        assert part.read().table.empty


def test_a_broken_part_is_named(folder: Path) -> None:
    """A file that is cut off is told apart from its neighbours."""
    content = (folder / "b.parquet").read_bytes()
    (folder / "b.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"b\.parquet cannot be read"):
        [list(part.batches()) for part in find(str(folder))]


def test_latin_letters_late_in_a_long_file(tmp_path: Path) -> None:
    """The encoding is that of the whole file, not of its head."""
    file = tmp_path / "rows.csv"
    file.write_bytes(b"a,b\n" + b"1,x\n" * 300_000 + "2,ü\n".encode("cp1252"))
    *_, last = find(str(file))[0].batches(rows=200_000)
    assert last.table["b"].iloc[-1] == "ü"
    assert "Latin-1" in last.recognised


def test_s3(moto_url: str, folder: Path) -> None:
    """A prefix, a pattern and an object: the same rows as here."""
    bucket = create_bucket("rows-in-parts")
    for name in ("a.parquet", "b.parquet", "_SUCCESS", "empty.parquet"):
        boto3.client("s3").upload_file(str(folder / name), bucket, f"rows/{name}")
    boto3.client("s3").upload_file(str(folder / "a.parquet"), bucket, "rows/year=2025/c d.parquet")
    boto3.client("s3").upload_file(str(folder / "a.parquet"), bucket, "rows-of-others/e.parquet")
    assert names(f"s3://{bucket}/rows") == ["a.parquet", "b.parquet", "c d.parquet"]
    assert names(f"s3://{bucket}/rows/") == ["a.parquet", "b.parquet", "c d.parquet"]
    assert names(f"s3://{bucket}/rows/*.parquet") == ["a.parquet", "b.parquet"]
    assert names(f"s3://{bucket}/rows/a.parquet") == ["a.parquet"]
    assert len(names(f"s3://{bucket}")) == 4
    for part in find(f"s3://{bucket}/rows"):
        pd.testing.assert_frame_equal(part.read().table, ROWS)
    with pytest.raises(DataError, match=r"no-such-bucket/rows cannot be listed: .*NoSuchBucket"):
        find("s3://no-such-bucket/rows")
