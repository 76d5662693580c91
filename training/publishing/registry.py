"""The MLflow model registry: a model's versions, and the alias that names the one to serve."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import msgspec
import pandas as pd
import xgboost
import yaml
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from api.store.mlmodel import MLMODEL
from training.errors import RegistryError
from training.fitting.card import CARD_NAME
from training.fitting.facts import METADATA_KEY, Facts
from training.publishing import tracking
from training.publishing.database import ARTIFACTS
from training.publishing.recording import DATASET_FILE

CHAMPION = "champion"
PROMOTED, REASON = "promoted", "promotion"
"""Tags of a version: the gate has let it through, and what the gate said."""


def champion(name: str) -> str | None:
    """The version that the alias names; None before the first one."""
    try:
        aliases: dict[str, str] = MlflowClient().get_registered_model(name).aliases
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    return str(aliases[CHAMPION]) if CHAMPION in aliases else None


def crown(name: str, version: str) -> None:
    """Let the alias name this version."""
    tracking.insist(lambda: MlflowClient().set_registered_model_alias(name, CHAMPION, version))


def open_model(name: str) -> None:
    """Let the registry have a model of this name."""
    try:
        MlflowClient().create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


@contextmanager
def registering(name: str, model_id: str, run_id: str) -> Iterator[str]:
    """Register a logged model as a new version; should the block not end well before it is champion, take that back."""
    client = MlflowClient()
    open_model(name)
    # A tracking server believes the address only together with the id.
    version = str(client.create_model_version(name, f"models:/{model_id}", run_id, model_id=model_id).version)
    try:
        yield version
    except BaseException:
        if champion(name) != version:
            client.delete_model_version(name, version)
        raise


def newest(name: str) -> int:
    """The number of the newest version; 0 before the first one."""
    return max((int(found.version) for found in _versions(name)), default=0)


def promoted_since(name: str, version: int) -> list[str]:
    """The versions after this one that have been let through the gate."""
    return [str(found.version) for found in _versions(name) if int(found.version) > version and PROMOTED in found.tags]


def _versions(name: str) -> list[ModelVersion]:
    return list(MlflowClient().search_model_versions(f"name='{name}'"))


def note(name: str, version: str, key: str, text: str) -> None:
    """Tag a version."""
    MlflowClient().set_model_version_tag(name, version, key, text)


def unnote(name: str, version: str, key: str) -> None:
    """Take a tag from a version."""
    MlflowClient().delete_model_version_tag(name, version, key)


def run_of(name: str, version: str) -> str | None:
    """The id of the run that made a version; None when the registry has no such version."""
    try:
        return str(MlflowClient().get_model_version(name, version).run_id)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def load(name: str, version: str) -> xgboost.Booster:
    """A registered version's model, as MLflow loads it.

    Raises:
        RegistryError: its files are not where MLflow looks for them.
    """
    try:
        booster: xgboost.Booster = mlflow.xgboost.load_model(f"models:/{name}/{version}")
    except (MlflowException, OSError) as error:
        raise _unfetched(name, version, error) from error
    return booster


def export(name: str, version: str, folder: Path) -> Facts:
    """Copy a version's MLflow directory to `folder` and read the facts inside.

    Raises:
        RegistryError: there is no such version, or it was not made by this program.
    """
    try:
        mlflow.artifacts.download_artifacts(f"models:/{name}/{version}", dst_path=os.fspath(folder))
        mlmodel = (folder / MLMODEL).read_text()
    except (MlflowException, OSError) as error:
        raise _unfetched(name, version, error) from error
    try:
        metadata = yaml.safe_load(mlmodel)["metadata"]
        return msgspec.json.decode(metadata[METADATA_KEY], type=Facts)
    except (KeyError, TypeError, yaml.YAMLError, msgspec.DecodeError) as error:
        raise RegistryError(f"Version {version} of {name} was not trained by `python -m training`.") from error


def _unfetched(name: str, version: str, error: Exception) -> RegistryError:
    """What to say when MLflow cannot give a version's files, which is seldom for the reason that it names."""
    try:
        place = MlflowClient().get_model_version_download_uri(name, version)
    except MlflowException:
        return RegistryError(f"Version {version} of {name} is not in MLflow: {error}")
    text = f"Version {version} of {name} cannot be fetched from {place}: {' '.join(str(error).split())}"
    if place.startswith("/") and not Path(place).exists():
        text += f". A registry that is copied or moved needs its directory {ARTIFACTS}/ beside the database"
    return RegistryError(text)


def dataset(run_id: str) -> pd.DataFrame:
    """The rows that a run was given, before splitting and cleaning.

    Raises:
        RegistryError: the run has lost them.
    """
    with TemporaryDirectory() as folder:
        return pd.read_parquet(_artifact(run_id, DATASET_FILE, Path(folder)))


def copy_card(run_id: str, folder: Path) -> None:
    """Copy the model card that a run wrote to `folder`.

    Raises:
        RegistryError: the run has lost it.
    """
    _artifact(run_id, CARD_NAME, folder)


def _artifact(run_id: str, name: str, folder: Path) -> str:
    try:
        return mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=name, dst_path=os.fspath(folder))
    except (MlflowException, OSError) as error:
        raise RegistryError(f"Run {run_id} has no {name}: {' '.join(str(error).split())}") from error
