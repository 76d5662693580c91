"""The whole path against a real tracking server, as the documents promise it."""

import re
import signal
from pathlib import Path

import pytest
from mlflow import MlflowClient

from api.store.manifest import LATEST, decode
from tests.california import MODEL_NAME, MODELS_PREFIX
from tests.training.conftest import SMALL, search_small
from training import pipeline
from training.__main__ import run
from training.publishing import registry, tracking
from training.rows import data

PASSWORD = "correct-horse"  # the server asks for none, and takes any


@pytest.fixture
def at_the_server(tracking_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty working directory, and the server's address with a password in it as `MLFLOW_TRACKING_URI`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_server.replace("://", f"://me:{PASSWORD}@"))
    search_small(monkeypatch)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # this process's own are left alone
    return tracking_server


def test_train_publish_and_go_back(at_the_server: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Train, publish, list and promote work with a tracking server; no file lands here but the published models.

    Its password is printed nowhere.
    """
    for seed in ("1", "2"):
        assert run(["train", "--candidates", "1", "--folds", "2", "--seed", seed, "--force"]) == 0
        assert run(["publish"]) == 0
    assert run(["versions"]) == 0
    assert "latest → 2" in capfd.readouterr().out
    assert run(["promote", "1"]) == 0
    with tracking.connected() as address:
        assert PASSWORD not in address
        assert registry.champion(MODEL_NAME) == "1"
        run_id = registry.run_of(MODEL_NAME, "1")
    live = decode((tmp_path / "models" / MODELS_PREFIX / LATEST / "manifest.json").read_bytes())
    assert (live.model_version, live.run_id) == ("1", run_id)
    assert [path.name for path in tmp_path.iterdir()] == ["models"]
    assert run(["ui"]) == 0
    out, err = capfd.readouterr()
    assert re.search(
        rf":{at_the_server.rpartition(':')[2]}/#/experiments/\d+/runs\?workflowType=machine_learning\n", out
    )
    assert PASSWORD not in out + err


def test_server_shows_what_a_run_is(at_the_server: str) -> None:
    """A run's name says what was searched on what, its dataset is the rows, its version leads to its model."""
    with tracking.connected():
        outcome = pipeline.train(SMALL, data.load(SMALL.table), candidates=1, folds=2, seed=3, force=True)
        client = MlflowClient()
        found = client.get_run(outcome.facts.run_id)
        assert found.info.run_name == "1 x 2 fits, seed 3, mlw package"
        assert found.inputs
        [rows] = found.inputs.dataset_inputs
        assert outcome.facts.data_sha256.startswith(rows.dataset.digest)
        assert {tag.key: tag.value for tag in rows.tags} == {"mlflow.data.context": "training"}
        version = client.get_model_version(MODEL_NAME, outcome.version)
        assert client.get_logged_model(str(version.source).removeprefix("models:/")).source_run_id == found.info.run_id
