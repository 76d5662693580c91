"""What a run keeps: everything about a training that someone may want to look at later."""

import json
from collections.abc import Mapping
from importlib.metadata import distributions, version
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import msgspec
import pandas as pd
import xgboost
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.pandas_dataset import from_pandas
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from numpy import dtype, float32

from api.store.manifest import PREDICTIONS
from training.fitting.card import CARD_NAME
from training.fitting.estimators import names_in_model
from training.fitting.facts import METADATA_KEY, Facts
from training.publishing import tracking
from training.rows.data import Dataset
from training.tables.description import Table
from training.watching.drift import Comparison

DATASET_FILE = "dataset.parquet"
"""The run keeps its own rows: whatever happens to the source, the run can be repeated and its model proven."""

PICTURES = "figures"
DRIFT = "drift"
"""Reports on captured rows, each named by the time of its last row."""

_TYPES = {"category": DataType.string}


def log_dataset(dataset: Dataset, description: Table) -> None:
    """Log the rows that are trained on, as a file and as the run's dataset."""
    with TemporaryDirectory() as folder:
        file = Path(folder, DATASET_FILE)
        dataset.table.to_parquet(file, index=False)
        mlflow.log_artifact(str(file))
    source = CodeDatasetSource({"source": dataset.source, "sha256": dataset.sha256, "artifact": DATASET_FILE})
    # Only the first characters of a digest fit into MLflow's field.
    plain = dataset.table.astype(dict.fromkeys(dataset.table.select_dtypes("category"), str))
    rows = from_pandas(plain, source, description.target.column, Path(dataset.source).name, dataset.sha256[:12])
    tracking.insist(lambda: mlflow.log_input(rows, context="training"))


def log_facts(facts: Facts) -> None:
    """Log parameters, metrics and where everything came from."""
    mlflow.log_params({f"best_{name}": value for name, value in facts.parameters.items()})
    mlflow.log_params({"seed": facts.seed, "candidates": facts.candidates, "folds": facts.folds})
    mlflow.log_metrics(facts.metrics)
    mlflow.log_metrics({f"removed_{rule}": rows for rule, rows in facts.removed.items()})
    mlflow.log_metrics({"data_rows": facts.data_rows, "train_rows": facts.train_rows, "test_rows": facts.test_rows})
    if facts.sampled:
        mlflow.log_metrics({f"sampled_{name}": rows for name, rows in msgspec.structs.asdict(facts.sampled).items()})
    mlflow.set_tags(
        {
            "git_revision": facts.git_revision,
            "data_source": facts.data_source,
            "data_sha256": facts.data_sha256,
            "table_sha256": facts.table_sha256,
        }
    )
    mlflow.log_dict({dist.name: dist.version for dist in distributions()}, "packages.json")


def log_candidates(results: pd.DataFrame) -> None:
    """Log the search's candidates, best first."""
    mlflow.log_table(json.loads(results.to_json(orient="columns")), "candidates.json")


def log_figures(figures: Mapping[str, Figure]) -> None:
    """Log each figure under its file name."""
    for name, figure in figures.items():
        mlflow.log_figure(figure, f"{PICTURES}/{name}", save_kwargs={"dpi": 120})


def log_card(text: str) -> None:
    """Log the model card."""
    mlflow.log_text(text, CARD_NAME)


def log_drift(found: Comparison, page: str) -> None:
    """Log a comparison of captured rows to the run of the version that answered them, which is over."""
    client, run_id, at = MlflowClient(), found.manifest.run_id, found.last
    client.log_text(run_id, page, f"{DRIFT}/{at:%Y-%m-%dT%H%M}.html")
    indices = {column.name: column.psi for column in found.columns}
    figure_of = {"drift_prediction": indices.pop(PREDICTIONS), "drift_feature": max(indices.values())}
    if found.live:
        figure_of |= {f"live_{name.removeprefix('test_')}": value for name, value in found.live.metrics.items()}
    for name, value in figure_of.items():
        client.log_metric(run_id, name, value, timestamp=int(at.timestamp() * 1000), step=int(at.timestamp()))


def log_model(booster: xgboost.Booster, example: pd.DataFrame, facts: Facts) -> str:
    """Log the model with signature and facts, and an input example; returns the id that MLflow gives it.

    The plain booster is logged, not scikit-learn's wrapper, so that loading it needs no scikit-learn.
    """
    description = facts.table
    if names_in_model(description) != list(description.features):
        booster.feature_names = None
    installed = next(name for name in ("xgboost-cpu", "xgboost") if any(distributions(name=name)))
    logged = mlflow.xgboost.log_model(
        booster,
        name="model",
        model_format="ubj",
        signature=signature(description),
        # MLflow tries an example with its own loader, which cannot predict with categories.
        input_example=None if len(example.select_dtypes("category").columns) else example,
        pip_requirements=[f"mlflow=={mlflow.__version__}", f"{installed}=={version(installed)}"],
        # Text, since MLflow sorts the keys of anything else, and the order of the features matters.
        metadata={METADATA_KEY: msgspec.json.encode(facts).decode()},
    )
    return str(logged.model_id)


def signature(description: Table) -> ModelSignature:
    """The columns that the model takes, by name, and what it answers with."""
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(_TYPES.get(says.kind, DataType.double), name, required=not says.missing)
        for name, says in description.features.items()
    ]
    shape = (-1, len(description.target.classes)) if description.target.kind == "category" else (-1,)
    return ModelSignature(inputs=Schema(inputs), outputs=Schema([TensorSpec(dtype(float32), shape)]))
