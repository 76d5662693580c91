"""California Housing: where it comes from."""

import gzip
import hashlib
import logging
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pandas as pd
from sklearn.datasets import fetch_california_housing

from training.errors import DataError

NAME = "california-housing"
"""Of the shipped description, whose rows these are."""

COLUMNS = (
    *("MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude"),
    "MedHouseVal",
)
"""In the order of the package's file."""

CHECKSUM = "9b9082ab86651a01d663a8e4a70ea14c0b41d0b2bd693bccd3221dcd111e15ca"
"""Of the 20,640 rows, as `training.rows.data.checksum` takes it: the same for every good copy of the dataset."""

PACKAGE = "mlw"
PACKAGE_FILE = "ml/data/houses.csv.gz"
PACKAGE_FILE_SHA256 = "25c264e3726f2ec74a2cc4c633cbe6a13bbcf7f9fa7955f62d8b14697587d300"

DOWNLOAD_SECONDS = 5
"""How long the download may be silent; a closed network often swallows packets instead of refusing them."""

WAYS = (
    "Ways to get it: run this once on a machine with internet access (scikit-learn keeps it in ~/scikit_learn_data or "
    "$SCIKIT_LEARN_DATA), run `pip install --no-deps --require-hashes -r requirements/data.txt`, or name a CSV or "
    "Parquet file of your own with --data."
)

log = logging.getLogger(__name__)


def california_housing() -> tuple[pd.DataFrame, str]:
    """The dataset from scikit-learn's cache or its download, else from the Python package that ships it.

    Raises:
        DataError: neither has it; the text names the ways to get it.
    """
    try:
        with _timeout(DOWNLOAD_SECONDS), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Retry downloading")  # the log line below says it better
            table: pd.DataFrame = fetch_california_housing(as_frame=True, n_retries=1, delay=0.1).frame
            return table, "scikit-learn"
    except (URLError, OSError) as error:
        log.debug("The dataset cannot be downloaded (%s); trying the %s package.", error, PACKAGE)
    return packaged(), f"{PACKAGE} package"


def packaged() -> pd.DataFrame:
    """The dataset as the `mlw` package ships it; the package itself is never imported.

    Raises:
        DataError: the package is not installed, or its file is not the known one.
    """
    try:
        content = Path(str(distribution(PACKAGE).locate_file(PACKAGE_FILE))).read_bytes()
    except (PackageNotFoundError, OSError) as error:
        raise DataError(f"California Housing is not on this machine and cannot be downloaded. {WAYS}") from error
    if hashlib.sha256(content).hexdigest() != PACKAGE_FILE_SHA256:
        raise DataError(f"{PACKAGE_FILE} of the {PACKAGE} package is not the known file. {WAYS}")
    lines = gzip.decompress(content).decode().splitlines()
    return pd.DataFrame(np.loadtxt(lines, delimiter=",", skiprows=1), columns=list(COLUMNS))


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
