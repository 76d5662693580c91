"""Where the rows come from."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import fetch_california_housing

from tests.conftest import STATLIB_FILE
from training.errors import DataError
from training.tables import data


@pytest.fixture
def statlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """The original file's rows, and scikit-learn looking for its cache in `tmp_path`."""
    if not STATLIB_FILE.exists():
        pytest.skip(f"needs the StatLib file cal_housing.data as {STATLIB_FILE}")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    monkeypatch.setattr(data, "fetch_california_housing", fetch_california_housing)
    return np.loadtxt(STATLIB_FILE, delimiter=",")[:, [8, 7, 2, 3, 4, 5, 6, 1, 0]]


def test_packaged_rows_are_the_dataset(table: pd.DataFrame) -> None:
    """The package's rows have the known checksum, shape and first row."""
    loaded = data.load()
    assert loaded.table.shape == (20_640, 9)
    assert loaded.sha256 == data.CHECKSUM
    assert loaded.source == "mlw package"
    assert loaded.table.iloc[0].to_dict()["MedHouseVal"] == 4.526
    pd.testing.assert_frame_equal(loaded.table, table)


def test_scikit_learn_rows_are_the_same(statlib: np.ndarray, tmp_path: Path, table: pd.DataFrame) -> None:
    """What scikit-learn makes of the original file equals the package's rows to the bit."""
    joblib.dump(statlib, tmp_path / "cal_housing_py3.pkz")
    loaded = data.load()
    assert loaded.source == "scikit-learn"
    pd.testing.assert_frame_equal(loaded.table, table, check_exact=True)


def test_altered_cache_is_refused(statlib: np.ndarray, tmp_path: Path) -> None:
    """One changed value in scikit-learn's cache is noticed before anything is trained."""
    statlib[7, 0] += 1
    joblib.dump(statlib, tmp_path / "cal_housing_py3.pkz")
    with pytest.raises(DataError, match="not California Housing"):
        data.load()


def test_without_any_source_the_ways_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without network and package, the error names the ways to get the data."""

    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(data, "distribution", missing)
    with pytest.raises(DataError, match=r"pip install .*requirements/data\.txt.*--data"):
        data.load()


def test_altered_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package file with another checksum is not read."""
    monkeypatch.setattr(data, "PACKAGE_FILE_SHA256", "0" * 64)
    with pytest.raises(DataError, match="not the known file"):
        data.load()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_own_file(table: pd.DataFrame, tmp_path: Path, suffix: str) -> None:
    """A CSV or Parquet file is read to the bit, columns in any order, others left aside."""
    file = tmp_path / f"own.{suffix}"
    own = table.head(300)[[*reversed(table.columns)]].assign(note="mine")
    own.to_csv(file, index=False) if suffix == "csv" else own.to_parquet(file)
    loaded = data.load(file)
    pd.testing.assert_frame_equal(loaded.table, table.head(300), check_exact=True)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("own.xlsx", b"", "neither .csv nor .parquet"),
        ("own.csv", b"", "cannot be read"),
        ("own.csv", b"\xff\xfe\x00", "cannot be read"),
        ("own.csv", b"a,b\n1,2,3\n4\n1,2,3,4\n", "cannot be read"),
        ("own.parquet", b"not parquet", "cannot be read"),
        ("own.csv", b"MedInc,HouseAge\n1,2\n", "lacks the columns AveRooms, "),
    ],
)
def test_unreadable_file(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """A file that is no such table is refused by its name, in one line."""
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        data.load(file)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
