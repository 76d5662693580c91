"""A whole training: what is left in MLflow, and what is not when it breaks."""

import json
from pathlib import Path
from types import ModuleType

import mlflow
import numpy as np
import pandas as pd
import pytest
import xgboost
from matplotlib.image import imread
from mlflow import MlflowClient

from tests.california import FEATURES, MODEL_NAME, TABLE
from tests.training.conftest import SMALL, SPACE, Home
from training import pipeline
from training.errors import RegistryError
from training.fitting.estimators import truth
from training.fitting.scores import score
from training.publishing import recording, registry, tracking
from training.rows import california, data
from training.rows.splitting import split


def test_run_holds_parameters_metrics_and_sources(home: Home) -> None:
    """The MLflow run has the best parameters, every figure, and where data and code came from."""
    facts = home.trained.facts
    with tracking.connected():
        run = MlflowClient().get_run(facts.run_id)
    assert run.info.status == "FINISHED"
    assert {f"best_{name}" for name in SPACE} | {"seed", "candidates", "folds"} == set(run.data.params)
    assert facts.metrics.items() <= run.data.metrics.items()
    assert run.data.metrics["removed_absurd_rooms"] == facts.removed["absurd_rooms"] > 0
    assert run.data.tags["data_sha256"] == california.CHECKSUM
    assert run.data.tags["git_revision"] == facts.git_revision


def test_run_holds_tables_and_packages(home: Home, table: pd.DataFrame) -> None:
    """The run keeps the rows it saw, the search's candidates and the versions of all packages."""
    run_id = home.trained.facts.run_id
    with tracking.connected():
        pd.testing.assert_frame_equal(registry.dataset(run_id), table)
        candidates = json.loads(mlflow.artifacts.load_text(f"runs:/{run_id}/candidates.json"))
        packages = json.loads(mlflow.artifacts.load_text(f"runs:/{run_id}/packages.json"))
    assert len(candidates["data"]) == 2
    assert {"score", "score_std", "param_max_depth"} <= set(candidates["columns"])
    assert packages["scikit-learn"].startswith("1.")


def test_figures_are_pictures(home: Home) -> None:
    """Each figure is there, large enough to read, and not blank."""
    with tracking.connected():
        folder = mlflow.artifacts.download_artifacts(f"runs:/{home.trained.facts.run_id}/figures")
    pictures = {path.name: imread(path) for path in Path(folder).iterdir()}
    assert set(pictures) == {
        "feature_importance.png",
        "true_vs_predicted.png",
        "residuals.png",
        "error_map.png",
        "candidates.png",
    }
    for picture in pictures.values():
        assert picture.shape[1] >= 700
        assert len(np.unique(picture[::5, ::5, :3].sum(axis=2))) > 20


def test_reported_error_is_the_registered_models(home: Home, table: pd.DataFrame) -> None:
    """The champion, loaded from the registry and asked about the held-out rows, has the RMSE that was reported."""
    test = split(table, TABLE).test
    with tracking.connected():
        assert registry.champion(MODEL_NAME) == home.trained.version == "1"
        model = registry.load(MODEL_NAME, "1")
    predicted = model.predict(xgboost.DMatrix(test[list(FEATURES)]))
    assert score(truth(test, TABLE), predicted)["rmse"] == pytest.approx(
        home.trained.facts.metrics["test_rmse"], abs=1e-12
    )


def test_model_has_signature_and_example(home: Home) -> None:
    """The logged model says its columns, as doubles under the dataset's names, and shows an example of them."""
    with tracking.connected():
        model = mlflow.models.get_model_info(f"models:/{MODEL_NAME}/1")
    assert [(column.name, str(column.type)) for column in model.signature.inputs] == [
        (name, "DataType.double") for name in FEATURES
    ]
    assert model.saved_input_example_info is not None


def test_interrupted_search_is_marked_killed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C during the search leaves a run that says KILLED, and no new version."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "search", interrupted)
    assert_broken(KeyboardInterrupt, "KILLED")


def test_failed_run_is_marked_failed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error after the search leaves a run that says FAILED, and no new version."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recording, "log_candidates", full)
    assert_broken(OSError, "FAILED")


STEPS = [
    *((recording, name) for name in ("log_dataset", "log_facts", "log_candidates", "log_figures", "log_model")),
    *((registry, name) for name in ("note", "crown")),
]


@pytest.mark.parametrize(("module", "step"), STEPS, ids=[name for _, name in STEPS])
def test_interrupted_anywhere(home: Home, monkeypatch: pytest.MonkeyPatch, module: ModuleType, step: str) -> None:
    """Ctrl-C at any step until a champion is named leaves a run that says KILLED, and no new version."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, step, interrupted)
    assert_broken(KeyboardInterrupt, "KILLED")


def assert_broken(error: type[BaseException], status: str) -> None:
    """A training ends with `error`, its run with `status`, and the registry is as before."""
    with pytest.raises(error), tracking.connected():
        pipeline.train(SMALL, data.load(TABLE), candidates=1, folds=2, force=True)
    with tracking.connected():
        newest = mlflow.search_runs(experiment_names=[MODEL_NAME], order_by=["start_time DESC"]).iloc[0]
        versions = MlflowClient().search_model_versions(f"name='{MODEL_NAME}'")
        assert registry.champion(MODEL_NAME) == "1"
    assert newest["status"] == status
    assert [str(found.version) for found in versions] == ["1"]


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("gopher://nowhere", "unsupported URI"),
        ("http://127.0.0.1:1", "Connection refused"),
        ("sqlite:////", "unable to open database file"),
        ("sqlite:///{}/not.db", "file is not a database"),
        ("http://me:a/b@127.0.0.1:1", "write / "),
    ],
)
def test_unreachable_tracking_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str, message: str) -> None:
    """A tracking server that cannot be used is named, in one line with the cause, and without long retries."""
    (tmp_path / "not.db").write_text("something else" * 100)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri.format(tmp_path))
    with pytest.raises(RegistryError, match=message) as caught, tracking.connected():
        registry.champion(MODEL_NAME)
    assert str(caught.value).startswith(f"MLflow at {uri.format(tmp_path).replace('a/b', '***')}: ")
    assert "\n" not in str(caught.value)
