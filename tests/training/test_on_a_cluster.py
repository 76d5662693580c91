"""Training in parts on a Dask cluster of two real workers, none of which has all rows."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from xgboost import Booster, DMatrix

from tests.california import TABLE, TARGET
from training.errors import DataError, TrainingError
from training.fitting.estimators import features
from training.in_parts import cluster, preparing
from training.in_parts.learning import Work
from training.in_parts.places import Here, Place, place_of
from training.in_parts.preparing import Ready
from training.rows.parts import Part, Parts, find

distributed = pytest.importorskip("distributed", reason="needs Dask: pip install -r requirements/cluster.txt")

CANDIDATES = [
    {"n_estimators": 20, "max_depth": 4, "learning_rate": 0.3, "subsample": 0.8},
    {"n_estimators": 30, "max_depth": 5, "learning_rate": 0.2, "colsample_bytree": 0.5},
]


@pytest.fixture(scope="module")
def parts(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """California Housing in five files."""
    folder = tmp_path_factory.mktemp("parts")
    for number, rows in enumerate(np.array_split(np.arange(len(table)), 5)):
        table.iloc[rows].to_parquet(folder / f"part-{number}.parquet")
    return Parts(find(str(folder)), str(folder))


@pytest.fixture(scope="module")
def place(parts: Parts) -> Iterator[Place]:
    """Two worker processes, which are started again when they end."""
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as workers,
        place_of(parts.parts, workers.scheduler_address) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def ready(parts: Parts, place: Place) -> Ready:
    """What the workers say of the parts."""
    return preparing.prepare(parts, TABLE, place)


@pytest.fixture(scope="module")
def models(ready: Ready, place: Place) -> list[bytearray]:
    """What they learned of them."""
    return place.learn(ready.parts, Work(TABLE, ready.sides, CANDIDATES, 42))


def test_workers_see_what_this_machine_sees(parts: Parts, ready: Ready) -> None:
    """Counts, ranges, digest and samples are the same, wherever the parts are read."""
    here = preparing.prepare(parts, TABLE, Here())
    assert here.prepared.dataset.sha256 == ready.prepared.dataset.sha256
    assert here.prepared.ranges == ready.prepared.ranges
    pd.testing.assert_frame_equal(here.prepared.dataset.table, ready.prepared.dataset.table)


def test_a_relative_path_means_the_same_to_workers_elsewhere(
    parts: Parts, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers have a working directory of their own; a path that a person types is of theirs."""
    monkeypatch.chdir(parts.source)
    relative = find(".")
    assert not any(Path(part.name).is_absolute() for part in relative)
    assert list(place.each(Part.rows, relative)) == [part.rows() for part in parts.parts]


def test_models_are_as_good_as_here(ready: Ready, models: list[bytearray]) -> None:
    """The workers' trees are of all rows: they err like those of this machine, and not like those of half the rows."""
    here = Here().learn(ready.parts, Work(TABLE, ready.sides, CANDIDATES, 42))
    test = ready.prepared.parts.test
    rows = DMatrix(features(test, TABLE))
    for ours, theirs in zip(here, models, strict=True):
        one, other = (
            np.sqrt(np.mean((Booster(model_file=raw).predict(rows) - test[TARGET]) ** 2)) for raw in (ours, theirs)
        )
        assert one == pytest.approx(other, rel=0.02)
    counts = [float(Booster(model_file=raw).trees_to_dataframe().query("Node == 0")["Cover"].iloc[0]) for raw in models]
    assert counts[1] == ready.prepared.train_rows


def test_same_seed_same_model(ready: Ready, models: list[bytearray], place: Place) -> None:
    """On the same parts and as many workers."""
    assert place.learn(ready.parts, Work(TABLE, ready.sides, CANDIDATES, 42)) == models
    assert place.learn(ready.parts, Work(TABLE, ready.sides, CANDIDATES, 43)) != models


def test_a_worker_killed_in_the_middle(ready: Ready, place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """All begin again, and the model is the same."""
    long = [{"n_estimators": 300, "max_depth": 6, "learning_rate": 0.05, "subsample": 0.8}]
    work = Work(TABLE, ready.sides, long, 42)
    undisturbed = place.learn(ready.parts, work)
    assert isinstance(place, cluster.Cluster)
    process = max(place.client.run(os.getpid).values())

    def kill() -> None:
        while not place.client.call_stack():
            time.sleep(0.05)
        os.kill(process, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with caplog.at_level("INFO", "training"):
        again = place.learn(ready.parts, work)
    killer.join()
    assert "Once more from the beginning" in caplog.text
    assert again == undisturbed


def test_bad_values_are_named(table: pd.DataFrame, place: Place, tmp_path: Path) -> None:
    """What a worker finds wrong with a part is said as on this machine."""
    table.head(500).to_parquet(tmp_path / "a.parquet")
    table.head(500).assign(HouseAge=-1.0).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"b\.parquet has bad values: HouseAge, row 1: -1 is outside 0 to 250"):
        preparing.prepare(Parts(find(str(tmp_path)), ""), TABLE, place)


def test_a_worker_that_cannot_read(place: Place) -> None:
    """A folder that only this machine has is told before anything is read."""
    assert isinstance(place, cluster.Cluster)
    with pytest.raises(TrainingError, match=r"worker tcp://.* cannot read /nowhere/a\.parquet.*a folder that all have"):
        cluster.check(place.client, [Part("/nowhere/a.parquet", 1)])


def test_no_workers(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler alone trains nothing."""
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as empty,
        pytest.raises(TrainingError, match="has no workers: start some"),
        place_of(parts.parts, empty.scheduler_address),
    ):
        pass
