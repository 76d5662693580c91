"""The SQLite registry: copied and moved, made by two at once, left by a training that was killed."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import mlflow
import pytest
import sqlalchemy
from mlflow import MlflowClient
from sqlalchemy.orm import Session

from api.store.manifest import LATEST
from tests.california import MODEL_NAME, TABLE
from tests.running import ROOT
from tests.training.conftest import SMALL, Home, enter
from training import pipeline
from training.__main__ import run
from training.errors import RegistryError
from training.publishing import database, recording, registry, tracking
from training.rows import data


@pytest.fixture(autouse=True)
def own_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands leave this process's signals alone."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another directory, which is the working directory with a registry of its own."""
    place = tmp_path / "else where"
    place.mkdir()
    enter(place, monkeypatch)
    return place


def files(place: Path) -> set[Path]:
    """All files below a directory."""
    return {path for path in place.rglob("*") if path.is_file()}


def recorded_paths(file: Path) -> set[str]:
    """Every path of a file that MLflow's tables hold."""
    with closing(sqlite3.connect(file)) as opened:
        values = [
            str(value)
            for table, columns in database.PATHS.items()
            for row in opened.execute(f"SELECT {', '.join(columns)} FROM {table}")
            for value in row
        ]
    return {value for value in values if value.startswith("/")}


@pytest.mark.parametrize("kept", [True, False], ids=["copied", "moved"])
def test_registry_works_where_it_is_taken(first_home: Home, elsewhere: Path, tmp_path: Path, kept: bool) -> None:
    """`mlflow.db` and `mlruns` work wherever both are taken: the champion is judged and published, new files lie there.

    The original is neither needed nor touched.
    """
    origin = tmp_path / "origin"
    shutil.copytree(first_home.path, origin)
    with pytest.MonkeyPatch.context() as patch:
        enter(origin, patch)
        with tracking.connected():
            assert registry.champion(MODEL_NAME) == "1"
    shutil.copytree(origin, elsewhere, dirs_exist_ok=True)
    before = files(origin)
    if not kept:
        shutil.rmtree(origin)
    with tracking.connected():
        outcome = pipeline.train(SMALL, data.load(TABLE), candidates=1, folds=2, force=True)
    assert (outcome.version, run(["publish"])) == ("2", 0)
    assert "against champion 1's" in outcome.decision.reason
    assert files(origin) == (before if kept else set())
    assert {path.startswith(f"{elsewhere}/mlruns/") for path in recorded_paths(elsewhere / "mlflow.db")} == {True}
    assert run(["publish", "--version", "1", "--force"]) == 0


def test_database_alone_keeps_its_files(first_home: Home, elsewhere: Path) -> None:
    """A database that was copied without its files goes on using them where they are."""
    shutil.copy(first_home.path / "mlflow.db", elsewhere)
    assert run(["publish"]) == 0
    assert {path.startswith(f"{first_home.path}/mlruns/") for path in recorded_paths(elsewhere / "mlflow.db")} == {True}


def test_missing_files_are_said_before_the_search(
    first_home: Home, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A registry without the files of its champion is told in one line before anything is searched or tracked."""
    shutil.copy(first_home.path / "mlflow.db", elsewhere)
    with closing(sqlite3.connect("mlflow.db")) as opened, opened:
        for table, columns in database.PATHS.items():
            for column in columns:
                opened.execute(f"UPDATE {table} SET {column} = replace({column}, ?, '/gone')", [str(first_home.path)])
    for command in (["train"], ["publish"]):
        assert run(command) == 1
        err = capsys.readouterr().err
        assert "Searching" not in err
        last = err.splitlines()[-1]
        assert last.startswith("Error: Version 1 of california-housing cannot be fetched from /gone/mlruns/")
        assert "needs its directory mlruns/ beside the database" in last
    with tracking.connected():
        assert len(mlflow.search_runs(experiment_names=[MODEL_NAME])) == 1


def test_address_may_be_relative(first_home: Home, elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default address, a file in the working directory, follows its files too."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    shutil.copytree(first_home.path, elsewhere, dirs_exist_ok=True)
    assert run(["publish"]) == 0
    assert (elsewhere / "models" / "mlflow/models" / MODEL_NAME / LATEST).readlink().name == "1"
    assert {path.startswith(f"{elsewhere}/mlruns/") for path in recorded_paths(elsewhere / "mlflow.db")} == {True}


TRAINING = """
import sys
from tests.training.conftest import SMALL
from training import pipeline
from training.__main__ import run

train = pipeline.train
pipeline.train = lambda described, *args, **kwargs: train(SMALL, *args, **kwargs)
print("ready", flush=True)
sys.stdin.readline()
sys.exit(run(sys.argv[1:]))
"""


def trainings(*seeds: int) -> Iterator[subprocess.Popen[str]]:
    """Small trainings in processes of their own, ready to start when they are sent a line."""
    for seed in seeds:
        yield subprocess.Popen(
            [sys.executable, "-c", TRAINING, "train", "--candidates", "1", "--folds", "2", "--seed", str(seed)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def test_two_first_trainings_at_once(elsewhere: Path) -> None:
    """Two trainings that start together on a registry that is not there yet both end; the better one is champion."""
    started = list(trainings(1, 2))
    for process in started:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    ended = []
    for process in started:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    for process in started:
        _, err = process.communicate(timeout=280)
        assert "Traceback" not in err
        ended.append((process.returncode, err))
    assert {code for code, _ in ended} <= {0, 3}, ended
    with tracking.connected():
        runs = mlflow.search_runs(experiment_names=[MODEL_NAME])
        assert runs["status"].tolist() == ["FINISHED"] * 2
        errors = {found.version: error_of(found.run_id) for found in registry._versions(MODEL_NAME)}
        assert registry.champion(MODEL_NAME) == str(min(errors, key=lambda version: errors[version]))


def test_two_log_the_same_rows_at_once(elsewhere: Path) -> None:
    """MLflow looks whether it knows a dataset, then writes: another that has written it in between is no fault."""
    rows = data.load(TABLE)
    with tracking.connected(), tracking.run(MODEL_NAME, "first") as first:
        other = MlflowClient().create_run(MlflowClient().get_run(first).info.experiment_id).info.run_id

        def write_first(*_: object) -> None:
            with mlflow.start_run(other, nested=True):
                recording.log_dataset(rows, TABLE)

        sqlalchemy.event.listen(Session, "before_flush", write_first, once=True)
        recording.log_dataset(rows, TABLE)
        mine, theirs = (MlflowClient().get_run(run).inputs for run in (first, other))
    assert mine
    assert theirs
    assert mine.dataset_inputs[0].dataset.digest == theirs.dataset_inputs[0].dataset.digest


def error_of(run_id: str | None) -> float:
    """A run's RMSE on the held-out rows."""
    return float(MlflowClient().get_run(str(run_id)).data.metrics["test_rmse"])


def test_database_appears_whole(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken off while it is made, a database has no tables at all, and is made by the next who needs it."""
    file = elsewhere / "mlflow.db"
    connect = sqlite3.connect

    class Breaking(sqlite3.Connection):
        def execute(self, statement: str, parameters: Any = (), /) -> sqlite3.Cursor:
            if statement.startswith('CREATE TABLE "runs"'):
                raise KeyboardInterrupt
            return super().execute(statement, parameters)

    with monkeypatch.context() as patch:
        patch.setattr(
            sqlite3, "connect", lambda name, *args, **kwargs: connect(name, *args, **kwargs, factory=Breaking)
        )
        with pytest.raises(KeyboardInterrupt):
            database.create(file)
    with closing(sqlite3.connect(file)) as opened:
        assert opened.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    with tracking.connected():
        assert registry.champion(MODEL_NAME) is None


def test_killed_training_is_closed_by_the_next(home: Home) -> None:
    """A run whose process is gone does not stay RUNNING; one that may live on another machine is given a day."""
    [process] = trainings(1)
    assert process.stdin
    assert process.stderr
    process.stdin.write("\n")
    process.stdin.flush()
    for line in process.stderr:
        if line.startswith("Searching"):
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with tracking.connected():
        experiment, client = tracking.use_experiment(MODEL_NAME), MlflowClient()
        assert [found.info.run_name for found in running(experiment)] == ["1 x 2 fits, seed 1, mlw package"]
        now = time.time()
        for name, age, tags in (
            ("here", 0, {tracking.PROCESS: f"{os.getpid()}@{socket.gethostname()}"}),
            ("elsewhere", tracking.DAY - 60, {tracking.PROCESS: "1@elsewhere"}),
            ("elsewhere, yesterday", tracking.DAY + 60, {tracking.PROCESS: "1@elsewhere"}),
            ("of an older release, yesterday", tracking.DAY + 60, {}),
        ):
            client.create_run(experiment, int((now - age) * 1000), tags, run_name=name)
        pipeline.train(SMALL, data.load(TABLE), candidates=1, folds=2)
        assert {found.info.run_name for found in running(experiment)} == {"here", "elsewhere"}
        closed = client.search_runs([experiment], "attributes.status = 'KILLED'")
    assert len(closed) == 3


def running(experiment: str) -> list[mlflow.entities.Run]:
    """The runs that have not ended."""
    return list(MlflowClient().search_runs([experiment], "attributes.status = 'RUNNING'"))


def test_driver_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database whose driver is not installed is told in one line, without its password."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://me:s3cret@127.0.0.1/mlflow")
    with pytest.raises(RegistryError, match=r"psycopg.*: install the driver of that database") as caught:
        tracking.connected().__enter__()
    assert str(caught.value).startswith("MLflow at postgresql://me:***@127.0.0.1/mlflow: ")
    assert "s3cret" not in str(caught.value)
