"""Training on a table in parts, of which no more than a batch is ever in memory."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from msgspec import structs

from tests.california import TABLE
from tests.training.conftest import SMALL, enter
from training import pipeline
from training.pipeline import Trained
from training.publishing import tracking
from training.tables.data import rows_of
from training.tables.parts import Parts


@pytest.fixture(scope="module")
def folder(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """California Housing in five files of different lengths."""
    place = tmp_path_factory.mktemp("parts")
    for number, rows in enumerate(np.split(np.arange(len(table)), [4_000, 9_000, 9_500, 16_000])):
        table.iloc[rows].to_parquet(place / f"part-{number}.parquet")
    return place


def trained(folder: Path, home: Path, **options: object) -> Trained:
    """A training in parts, in a working directory of its own."""
    rows = rows_of(TABLE, str(folder))
    assert isinstance(rows, Parts)
    with pytest.MonkeyPatch.context() as patch:
        enter(home, patch)
        with tracking.connected():
            return pipeline.train(SMALL, rows, candidates=4, folds=2, **options)


@pytest.fixture(scope="module")
def outcome(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(folder, tmp_path_factory.mktemp("home"))


def test_figures(outcome: Trained) -> None:
    print(outcome.facts.metrics, outcome.facts.sampled, outcome.decision)
