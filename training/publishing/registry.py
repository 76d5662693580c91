"""The MLflow model registry: versions of `california-housing`, and the alias that names the one to serve."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import msgspec
import pandas as pd
import xgboost
import yaml
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from api.store.manifest import MODEL_NAME
from training.errors import RegistryError
from training.fitting.facts import METADATA_KEY, Facts
from training.publishing.tracking import DATASET_FILE

CHAMPION = "champion"


def champion() -> str | None:
    """The version that the alias names; None before the first one."""
    try:
        aliases: dict[str, str] = MlflowClient().get_registered_model(MODEL_NAME).aliases
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    return str(aliases[CHAMPION]) if CHAMPION in aliases else None


def crown(version: str) -> None:
    """Let the alias name this version."""
    MlflowClient().set_registered_model_alias(MODEL_NAME, CHAMPION, version)


@contextmanager
def registering(model_uri: str, run_id: str) -> Iterator[str]:
    """Register a logged model as a new version, and take that back should the block not end well."""
    client = MlflowClient()
    if not client.search_registered_models(f"name='{MODEL_NAME}'"):
        client.create_registered_model(MODEL_NAME)
    version = str(client.create_model_version(MODEL_NAME, model_uri, run_id).version)
    try:
        yield version
    except BaseException:
        client.delete_model_version(MODEL_NAME, version)
        raise


def note(version: str, key: str, text: str) -> None:
    """Tag a version."""
    MlflowClient().set_model_version_tag(MODEL_NAME, version, key, text)


def run_of(version: str) -> str | None:
    """The id of the run that made a version; None when the registry has no such version."""
    try:
        return str(MlflowClient().get_model_version(MODEL_NAME, version).run_id)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def load(version: str) -> xgboost.Booster:
    """A registered version's model, as MLflow loads it."""
    booster: xgboost.Booster = mlflow.xgboost.load_model(f"models:/{MODEL_NAME}/{version}")
    return booster


def export(version: str, folder: Path) -> Facts:
    """Copy a version's MLflow directory to `folder` and read the facts inside.

    Raises:
        RegistryError: there is no such version, or it was not made by this program.
    """
    try:
        mlflow.artifacts.download_artifacts(f"models:/{MODEL_NAME}/{version}", dst_path=os.fspath(folder))
    except (MlflowException, OSError) as error:
        raise RegistryError(f"Version {version} of {MODEL_NAME} cannot be fetched from MLflow: {error}") from error
    try:
        metadata = yaml.safe_load((folder / "MLmodel").read_text())["metadata"]
        return msgspec.convert(metadata[METADATA_KEY], Facts)
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise RegistryError(f"Version {version} of {MODEL_NAME} was not trained by `python -m training`.") from error


def dataset(run_id: str) -> pd.DataFrame:
    """The rows that a run was given, before splitting and cleaning.

    Raises:
        RegistryError: the run has lost them.
    """
    try:
        return pd.read_parquet(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=DATASET_FILE))
    except (MlflowException, OSError) as error:
        raise RegistryError(f"Run {run_id} has no {DATASET_FILE}: {error}") from error
