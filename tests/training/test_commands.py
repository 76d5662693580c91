"""The commands as a person runs them: what they say, and how they end."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import boto3
import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient

from api.store.manifest import LATEST, MANIFEST_NAME
from tests.buckets import create_bucket
from tests.california import MODEL_NAME, MODELS_PREFIX
from tests.running import ROOT
from tests.training.conftest import Home, enter, search_small, searching
from training import pipeline
from training.__main__ import run
from training.publishing import publication, registry, releases, tracking
from training.publishing.local_store import LocalStore
from training.tables import loading

TRAIN = pipeline.train
"""Before a test lets it search another space."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands search the small space, and leave this process's signals alone."""
    search_small(monkeypatch)
    monkeypatch.setattr(signal, "signal", lambda *_: None)


def latest() -> str:
    """The version that the local store's `latest` is."""
    return (Path("models") / MODELS_PREFIX / LATEST).readlink().name


def test_train_and_publish(home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A forced training takes over; publishing makes it latest; both tell the figures and what to do next."""
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["train", "--candidates", "1", "--folds", "2", "--seed", "7", "--force"]) == 0
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines() if not line.startswith("Version 2 is champion: ")) <= 80
    for text in ("this model", "linear regression", "mean", "RMSE", "90 % intervals", "python -m training publish"):
        assert text in out
    assert run(["publish"]) == 0
    assert latest() == "2"
    assert run(["versions"]) == 0
    listed = capsys.readouterr().out
    assert "latest → 2" in listed
    assert "…" not in listed, "a terminal of 80 columns cuts it"


def test_no_version_is_listed(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty store is said to be one, with the command that fills it."""
    assert run(["versions", "--store", "other"]) == 0
    out = capsys.readouterr().out
    assert (
        out
        == "Nothing of california-housing is published in other: `python -m training publish --store other` fills it.\n"
    )


def test_train_once_uses_the_champion(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a champion exists, which a broken-off `make run` leaves, it is published and nothing is trained."""
    assert run(["train", "--once", "--publish", "models"]) == 0
    assert "Version 1 is champion already" in capsys.readouterr().out
    assert latest() == "1"
    with tracking.connected():
        assert len(mlflow.search_runs(experiment_names=[MODEL_NAME])) == 1


def test_nothing_better_is_published_all_the_same(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """A training that beats nobody says so once, ends with 3, and leaves the store with the champion."""
    assert run(["train", "--candidates", "2", "--folds", "2", "--publish", "models"]) == 3
    said = "".join(capsys.readouterr())
    assert said.count("not promoted") == 1
    assert "every prediction is the same" in said
    assert "Next:" not in said
    assert latest() == "1"


def test_a_first_version_that_is_not_promoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is published, and the command that is named publishes it all the same."""
    enter(tmp_path, monkeypatch)
    monkeypatch.setattr(pipeline, "train", TRAIN)
    search_small(monkeypatch, searching({"n_estimators": (1,)}))
    assert run(["train", "--candidates", "1", "--folds", "2", "--publish", "my store"]) == 3
    named = re.search(r"Nothing is published.* `python -m training (.*)`\.", capsys.readouterr().out)
    assert named
    assert not Path("my store").exists()
    assert run(shlex.split(named[1])) == 0
    assert (Path("my store") / MODELS_PREFIX / LATEST / "manifest.json").exists()


def test_gate(home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A worse version is registered and may be published, each time with code 3; --force makes it live."""
    assert run(["publish"]) == 0
    search_small(monkeypatch, searching({"n_estimators": (2,)}))
    assert run(["train", "--candidates", "1", "--folds", "2"]) == 3
    assert "Version 2 is not promoted: RMSE" in capsys.readouterr().out
    assert run(["publish", "--version", "2"]) == 3
    assert "champion is version 1" in capsys.readouterr().out
    assert latest() == "1"
    assert run(["publish", "--version", "2", "--force"]) == 0
    assert latest() == "2"
    with tracking.connected():
        assert registry.champion(MODEL_NAME) == "2"


def test_roll_back(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """One command makes an old version live again, in the store and in the registry."""
    assert run(["publish"]) == 0
    assert run(["train", "--candidates", "1", "--folds", "2", "--force"]) == 0
    assert run(["publish"]) == 0
    assert latest() == "2"
    assert run(["promote", "1"]) == 0
    assert latest() == "1"
    with tracking.connected():
        assert registry.champion(MODEL_NAME) == "1"


def test_publish_goes_by_the_store(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the champion is latest nothing is done, with code 0; where a publish broke off, it is made up for.

    What the last training said does not matter: it may have tied with a champion that never got to the store.
    """
    assert run(["publish"]) == 0
    with monkeypatch.context() as patch:
        patch.setattr(publication, "publish", lambda *_: pytest.fail("published again"))
        patch.setattr(releases, "promote", lambda *_: pytest.fail("promoted again"))
        capsys.readouterr()
        assert run(["publish"]) == 0
    assert capsys.readouterr() == ("The champion, version 1, is latest in models.\n", "")
    assert run(["train", "--candidates", "1", "--folds", "2", "--seed", "7", "--force"]) == 0
    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "promote", interrupted)
        assert run(["publish"]) == 130
    assert latest() == "1"
    assert run(["train", "--candidates", "1", "--folds", "2", "--seed", "7"]) == 3
    assert run(["publish"]) == 0
    assert latest() == "2"


def interrupted(*_: object) -> None:
    """What Control-C does to a step."""
    raise KeyboardInterrupt


def test_publish_follows_a_champion_that_changes_meanwhile(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A publish that is overtaken by another one with a newer champion does not put its own back."""
    assert run(["train", "--candidates", "1", "--folds", "2", "--seed", "7", "--force"]) == 0
    assert run(["promote", "1"]) == 1  # not published yet
    with tracking.connected():
        registry.crown(MODEL_NAME, "1")
    promote = releases.promote

    def overtaken(version: str, store: LocalStore) -> None:
        if version == "1":
            registry.crown(MODEL_NAME, "2")
            publication.publish(MODEL_NAME, "2", store)
            promote("2", store)
        promote(version, store)

    monkeypatch.setattr(releases, "promote", overtaken)
    assert run(["publish"]) == 0
    assert latest() == "2"


def test_roll_back_without_a_registry(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Going back works while the registry does not answer; that the champion stays what it was is said, with code 1."""
    assert run(["publish"]) == 0
    assert run(["train", "--candidates", "1", "--folds", "2", "--force"]) == 0
    assert run(["publish"]) == 0
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    capsys.readouterr()
    assert run(["promote", "1"]) == 1
    assert "Error: Version 1 is latest, but not champion: MLflow at http://127.0.0.1:1: " in capsys.readouterr().err
    assert latest() == "1"


def test_damaged_latest_is_replaced(home: Home, moto_url: str) -> None:
    """A `latest` that cannot be read does not stand in the way of the next one."""
    bucket = create_bucket("damaged-latest")
    store = ["--store", f"s3://{bucket}"]
    assert run(["publish", *store]) == 0
    key = f"{MODELS_PREFIX}/{LATEST}/{MANIFEST_NAME}"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=b"{")
    assert run(["versions", *store]) == 1
    assert run(["publish", *store]) == 0
    assert run(["versions", *store]) == 0


def test_what_is_no_store(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """An address of another kind is refused before anything is done, and no directory gets its name."""
    before = sorted(home.path.iterdir())
    for location in ("gs://bucket", "s3:/bucket"):
        for command in (["publish"], ["versions"], ["promote", "1"]):
            assert run([*command, "--store", location]) == 1
            assert f"Error: '{location}' is not a store: give s3://BUCKET" in capsys.readouterr().err
    assert sorted(home.path.iterdir()) == before


def test_promote_without_its_registry(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the registry never saw the model, `latest` moves all the same and the user is told."""
    assert run(["publish"]) == 0
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{home.path}/other.db")
    assert run(["promote", "1"]) == 0
    assert "does not know this model" in capsys.readouterr().out


def test_publish_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With an empty registry, publishing fails and names the command to run first."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    assert run(["publish"]) == 1
    assert capsys.readouterr().err.startswith(
        "Error: No version of california-housing is champion: run `python -m training train`"
    )


def test_bad_data_starts_no_run(home: Home, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    """A bad file ends with one line that names column and row, before anything is tracked."""
    own = table.head(300).assign(Latitude=37.0)
    own.loc[3, "Latitude"] = 0
    own.to_csv("own.csv", index=False)
    assert run(["train", "--data", "own.csv"]) == 1
    assert capsys.readouterr().err == "Error: own.csv has bad values: Latitude, row 4: 0 is outside 32.5 to 42.1.\n"
    with tracking.connected():
        assert len(mlflow.search_runs(experiment_names=[MODEL_NAME])) == 1


def test_data_that_cleaning_empties(home: Home, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    """When the cleaning rules leave too few rows, that is said, with the count."""
    table.head(300).assign(AveOccup=21.0).to_csv("own.csv", index=False)
    assert run(["train", "--data", "own.csv"]) == 1
    assert capsys.readouterr().err == "Error: Cleaning left 0 of 240 training rows, too few to train on.\n"


def test_own_data(home: Home, table: pd.DataFrame) -> None:
    """A file of one's own goes all the way to a published version."""
    table.sample(500, random_state=0).to_parquet("own.parquet")
    assert run(["train", "--data", "own.parquet", "--candidates", "1", "--folds", "2", "--force"]) == 0
    assert run(["publish"]) == 0
    assert "500 rows from own.parquet" in (Path("models") / MODELS_PREFIX / LATEST / "MODEL_CARD.md").read_text()


@pytest.mark.parametrize(
    "arguments",
    [["train", "--candidates", "0"], ["train", "--data", "missing.csv"], ["publish", "--version", "new"], ["retrain"]],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage ends with code 2 and says what was wrong."""
    assert run(arguments) == 2
    assert "Error: " in capsys.readouterr().err


def test_a_store_that_cannot_be_used_is_found_first(
    home: Home, moto_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a training could not be published, that is said before the search."""
    assert run(["train", "--publish", "s3://no-such-bucket-here"]) == 1
    assert "NoSuchBucket" in capsys.readouterr().err
    with tracking.connected():
        assert len(mlflow.search_runs(experiment_names=[MODEL_NAME])) == 1


def test_store_errors_are_one_line(home: Home, moto_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A bucket that is not there fails with one line."""
    assert run(["versions", "--store", "s3://no-such-bucket-here"]) == 1
    err = capsys.readouterr().err
    assert "NoSuchBucket" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_process(home: Home, sent: signal.Signals) -> None:
    """Ctrl-C or SIGTERM in the middle of the real search ends it with code 130: run KILLED, nothing registered."""
    process = subprocess.Popen(
        [sys.executable, "-m", "training", "train"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    for line in process.stderr:
        if line.startswith("Searching"):
            break
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted; nothing was left half done." in err
    assert "Traceback" not in err
    with tracking.connected():
        runs = mlflow.search_runs(experiment_names=[MODEL_NAME], order_by=["start_time DESC"])
        assert runs["status"].tolist() == ["KILLED", "FINISHED"]
        assert len(MlflowClient().search_model_versions(f"name='{MODEL_NAME}'")) == 1


def test_help_names_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """The help lists the commands and what each exit code means."""
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    for text in ("train", "publish", "versions", "promote", "Exit codes", "MLFLOW_TRACKING_URI"):
        assert text in out


@pytest.mark.parametrize("command", [["training", "versions"], ["api"]])
def test_without_the_environment(command: list[str], tmp_path: Path) -> None:
    """A Python that has none of the packages is told how to get the one that has."""
    script = (
        "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
        "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
    )
    bare = [sys.executable, "-I", "-S", "-c", script, str(ROOT)]
    done = subprocess.run([*bare, *command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "is not installed for" in done.stderr
    assert "run `make install`, then `source .venv/bin/activate`." in done.stderr
    assert done.stderr.count("\n") == 1


def test_describe_drafts_a_description_that_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A draft describes the file's columns, says what a person must decide, and overwrites nothing unasked."""
    monkeypatch.chdir(tmp_path)
    rows = pd.DataFrame(
        {
            "row": range(60),
            "size (m²)": [40.5 + 3 * i for i in range(60)],
            "town": ["Bern", "Chur", None] * 20,
            "price": [100.0 + 7.5 * (i % 50) for i in range(60)],
        }
    )
    rows.to_csv("My flats.csv", sep=";", decimal=",", index=False)
    assert run(["describe", "My flats.csv", "--target", "price"]) == 0
    out = capsys.readouterr().out
    assert "[features.row] is left out: it counts the rows" in out
    assert "python -m training train --table tables/my-flats.toml --data 'My flats.csv'" in out
    table = loading.load(Path("tables/my-flats.toml")).table
    assert list(table.features) == ["size (m²)", "town"]
    assert table.features["town"].categories == ("Bern", "Chur")
    assert table.features["town"].missing
    assert run(["describe", "My flats.csv", "--target", "price"]) == 1
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (60, "mine.csv has 60 rows; at least 100 different ones are needed."),
        (208, "mine.csv has too few rows of c (8); 10 of each class are needed"),
        (210, None),
    ],
)
def test_describe_says_what_training_will_refuse(
    rows: int, said: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too few rows, or too few of a class, are told with the draft, before anybody has corrected it."""
    monkeypatch.chdir(tmp_path)
    file = pd.DataFrame({"size": [i * 7 % 97 + i / 8 for i in range(210)], "kind": [*"ab"] * 100 + ["c"] * 10})
    file.head(rows).to_csv("mine.csv", index=False)
    assert run(["describe", "mine.csv", "--target", "kind"]) == 0
    out = capsys.readouterr().out
    assert (f"  - Training will refuse these rows: {said}" in out) if said else ("refuse" not in out)


def test_what_to_type_next_names_the_table(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A command that is told for another table than the default has the option that means it."""
    file = tmp_path / "my flats.toml"
    file.write_text('name = "flats"\n[target]\ncolumn = "price"\n[features.size]\n')
    assert run(["versions", "--table", str(file), "--store", "other"]) == 0
    assert f"`python -m training publish --table '{file}' --store other` fills it." in capsys.readouterr().out
