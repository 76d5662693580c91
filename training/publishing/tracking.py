"""The MLflow run: everything about a training that someone may want to look at later."""

import json
import logging
import os
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from importlib.metadata import distributions, version
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import msgspec
import pandas as pd
import xgboost
from matplotlib.figure import Figure
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from sqlalchemy.exc import SQLAlchemyError

from api.model.schema import FEATURES
from api.store.manifest import MODEL_NAME
from training.errors import RegistryError
from training.fitting.card import CARD_NAME
from training.fitting.facts import METADATA_KEY, Facts

DATASET_FILE = "dataset.parquet"
"""The run keeps its own rows: whatever happens to the source, the run can be repeated and its model proven."""

PICTURES = "figures"


@contextmanager
def connected() -> Iterator[str]:
    """Use the tracking server that `MLFLOW_TRACKING_URI` names, by default a SQLite file here; yields its address.

    Raises:
        RegistryError: it cannot be reached, or refuses.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"
    mlflow.set_tracking_uri(uri)
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # What this one logs, with its whole traceback, reaches us as an exception besides.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    try:
        _try_file(uri)
        yield uri
    except (MlflowException, SQLAlchemyError, sqlite3.Error) as error:
        raise RegistryError(f"MLflow at {uri}: {' '.join(str(_root(error)).split())}") from error


def _try_file(uri: str) -> None:
    """Fail at once where MLflow would go on trying for two minutes: at a database file that cannot be opened."""
    path = Path(uri.removeprefix("sqlite:///"))
    if uri.startswith("sqlite:///") and path.parent.is_dir():
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA schema_version")


def _root(error: BaseException) -> BaseException:
    """The innermost cause: the outer ones repeat it with statements and addresses around it."""
    return _root(error.__cause__) if error.__cause__ else error


@contextmanager
def run() -> Iterator[str]:
    """An MLflow run, yielded by its id, that tells a broken-off training from a failed one."""
    mlflow.set_experiment(MODEL_NAME)
    run_id = mlflow.start_run().info.run_id
    status = "FAILED"
    try:
        yield run_id
        status = "FINISHED"
    except (KeyboardInterrupt, SystemExit):
        status = "KILLED"
        raise
    finally:
        mlflow.end_run(status)


def log_facts(facts: Facts) -> None:
    """Log parameters, metrics and where everything came from."""
    mlflow.log_params({f"best_{name}": value for name, value in facts.parameters.items()})
    mlflow.log_params({"seed": facts.seed, "candidates": facts.candidates, "folds": facts.folds})
    mlflow.log_metrics(facts.metrics)
    mlflow.log_metrics({f"removed_{rule}": rows for rule, rows in facts.removed.items()})
    mlflow.log_metrics({"data_rows": facts.data_rows, "train_rows": facts.train_rows, "test_rows": facts.test_rows})
    mlflow.set_tags(
        {"git_revision": facts.git_revision, "data_source": facts.data_source, "data_sha256": facts.data_sha256}
    )
    mlflow.log_dict({dist.name: dist.version for dist in distributions()}, "packages.json")


def log_tables(dataset: pd.DataFrame, results: pd.DataFrame) -> None:
    """Log the rows that were trained on and the search's candidates, best first."""
    with TemporaryDirectory() as folder:
        file = Path(folder, DATASET_FILE)
        dataset.to_parquet(file, index=False)
        mlflow.log_artifact(str(file))
    mlflow.log_table(json.loads(results.to_json(orient="columns")), "candidates.json")


def log_figures(figures: Mapping[str, Figure]) -> None:
    """Log each figure under its file name."""
    for name, figure in figures.items():
        mlflow.log_figure(figure, f"{PICTURES}/{name}", save_kwargs={"dpi": 120})


def log_card(text: str) -> None:
    """Log the model card."""
    mlflow.log_text(text, CARD_NAME)


def log_model(booster: xgboost.Booster, example: pd.DataFrame, facts: Facts) -> str:
    """Log the model with signature, input example and facts; returns its MLflow address.

    The plain booster is logged, not scikit-learn's wrapper, so that loading it needs no scikit-learn.
    """
    predicted = booster.predict(xgboost.DMatrix(example[list(FEATURES)]))
    installed = next(name for name in ("xgboost-cpu", "xgboost") if any(distributions(name=name)))
    logged = mlflow.xgboost.log_model(
        booster,
        name="model",
        model_format="ubj",
        signature=infer_signature(example, predicted),
        input_example=example,
        pip_requirements=[f"mlflow=={mlflow.__version__}", f"{installed}=={version(installed)}"],
        metadata={METADATA_KEY: msgspec.to_builtins(facts)},
    )
    return str(logged.model_uri)


def git_revision() -> str:
    """The commit that is checked out, `-dirty` when files differ from it, `unknown` outside git."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"
