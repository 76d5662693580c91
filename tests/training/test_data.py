"""Where the rows come from."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import fetch_california_housing

from tests.california import TABLE
from tests.conftest import STATLIB_FILE
from tests.running import ROOT
from training.errors import DataError
from training.rows import california, data


@pytest.fixture
def statlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """The original file's rows, and scikit-learn looking for its cache in `tmp_path`."""
    if not STATLIB_FILE.exists():
        pytest.skip(f"needs the StatLib file cal_housing.data as {STATLIB_FILE}")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    monkeypatch.setattr(california, "fetch_california_housing", fetch_california_housing)
    return np.loadtxt(STATLIB_FILE, delimiter=",")[:, [8, 7, 2, 3, 4, 5, 6, 1, 0]]


def test_packaged_rows_are_the_dataset(table: pd.DataFrame) -> None:
    """The package's rows have the known checksum, shape and first row."""
    loaded = data.load(TABLE)
    assert loaded.table.shape == (20_640, 9)
    assert loaded.sha256 == california.CHECKSUM
    assert loaded.source == "mlw package"
    assert loaded.table.iloc[0].to_dict()["MedHouseVal"] == 4.526
    pd.testing.assert_frame_equal(loaded.table, table)


def test_scikit_learn_rows_are_the_same(statlib: np.ndarray, tmp_path: Path, table: pd.DataFrame) -> None:
    """What scikit-learn makes of the original file equals the package's rows to the bit."""
    joblib.dump(statlib, tmp_path / "cal_housing_py3.pkz")
    loaded = data.load(TABLE)
    assert loaded.source == "scikit-learn"
    pd.testing.assert_frame_equal(loaded.table, table, check_exact=True)


def test_altered_cache_is_refused(statlib: np.ndarray, tmp_path: Path) -> None:
    """One changed value in scikit-learn's cache is noticed before anything is trained."""
    statlib[7, 0] += 1
    joblib.dump(statlib, tmp_path / "cal_housing_py3.pkz")
    with pytest.raises(DataError, match="not California Housing"):
        data.load(TABLE)


def test_without_any_source_the_ways_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without network and package, the error names the ways to get the data."""

    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(california, "distribution", missing)
    with pytest.raises(DataError, match=r"pip install .*requirements/data\.txt.*--data"):
        data.load(TABLE)


def test_altered_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package file with another checksum is not read."""
    monkeypatch.setattr(california, "PACKAGE_FILE_SHA256", "0" * 64)
    with pytest.raises(DataError, match="not the known file"):
        data.load(TABLE)


@pytest.mark.parametrize("suffix", ["csv", "CSV", "parquet", "Parquet"])
def test_own_file(table: pd.DataFrame, tmp_path: Path, suffix: str) -> None:
    """A CSV or Parquet file is read to the bit, columns in any order, others left aside, its ending in any case."""
    file = tmp_path / f"own.{suffix}"
    own = table.head(300)[[*reversed(table.columns)]].assign(note="mine")
    own.to_csv(file, index=False) if suffix.lower() == "csv" else own.to_parquet(file)
    loaded = data.load(TABLE, file)
    pd.testing.assert_frame_equal(loaded.table, table.head(300), check_exact=True)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("own.xlsx", b"", "neither .csv nor .parquet"),
        ("own.csv", b"", "is empty"),
        ("own.csv", b"\xff\xfe\x00", "cannot be read"),
        ("own.csv", b"a,b\n1,2,3\n4\n1,2,3,4\n", "row 1 has more values than the first line has names"),
        ("own.parquet", b"not parquet", "cannot be read"),
        ("own.csv", b"MedInc,HouseAge\n1,2\n", "lacks the columns AveRooms, .*; it has MedInc, HouseAge; needed"),
        ("own.csv", b"MedInc,HouseAge\n1,2\n3,4,5\n", "row 2 has more values than the first line has names"),
        ("own.csv", b"MedInc,HouseAge\n0,2,3\n1,2,3\n", "row 1 has more values than the first line has names"),
    ],
)
def test_unreadable_file(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """A file that is no such table is refused by its name, in one line."""
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        data.load(TABLE, file)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_csv_that_names_a_column_twice(table: pd.DataFrame, tmp_path: Path) -> None:
    """The second of two columns of one name is not silently left aside."""
    file = tmp_path / "own.csv"
    own = table.head(300)
    pd.concat([own, own[["MedInc"]] + 1], axis="columns").to_csv(file, index=False)
    with pytest.raises(DataError, match="more than one column named MedInc"):
        data.load(TABLE, file)


def test_a_comma_at_the_end_of_each_row(table: pd.DataFrame, tmp_path: Path) -> None:
    """A comma with nothing behind it moves no value into another column: it is refused."""
    file = tmp_path / "own.csv"
    names, *rows = table.head(300).to_csv(index=False).splitlines()
    file.write_text("\n".join([names, *(f"{row}," for row in rows)]))
    with pytest.raises(DataError, match="row 1 has more values than the first line has names"):
        data.load(TABLE, file)


def test_a_bad_file_is_refused_before_the_slow_imports(tmp_path: Path) -> None:
    """What is wrong with a file is said before scikit-learn, XGBoost and MLflow are imported."""
    file = tmp_path / "own.csv"
    file.write_text("MedInc,HouseAge\n1,2\n")
    script = (
        "import sys; from training.__main__ import run; code = run(['train', '--data', sys.argv[1]]); "
        "print(code, [name for name in ('sklearn', 'xgboost', 'mlflow', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script, str(file)], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "1 []\n"
    assert "lacks the columns" in done.stderr
