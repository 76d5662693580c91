"""Takes in a model that another program trained: describes it, proves it, registers it and publishes it."""

import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import mlflow
import numpy as np
import numpy.typing as npt
import pandas as pd
from mlflow.exceptions import MlflowException
from msgspec import structs

from api.errors import ModelRefused
from api.model.agreement import check_agreement
from api.model.plain import plain_schema
from api.store.manifest import MANIFEST_NAME, Manifest
from api.store.mlmodel import MLMODEL, MLmodel, data_path, decode_mlmodel
from api.store.schema import Feature, Schema
from api.trees import xgboost_file
from api.trees.walk import Trees
from training.errors import DataError, ProofError, RegistryError
from training.fitting import proof
from training.fitting.card import CARD_NAME
from training.fitting.distribution import distribution, ranges
from training.fitting.estimators import no_and_yes
from training.fitting.known import recorded
from training.publishing import publication, registry, tracking
from training.publishing.stores import Store
from training.rows.checks import check_features
from training.rows.encoding import numbers
from training.rows.files import Read
from training.tables.loading import Described

KNOWN_ANSWERS = 20
MOST_ROWS = 20_000
"""Of a sample; more would prove no more."""

log = logging.getLogger(__name__)


class Foreign(NamedTuple):
    """A model directory that MLflow wrote for another program."""

    folder: Path
    mlmodel: MLmodel
    trees: Trees
    uri: str


def adopt(uri: str, sample: Read, source: str, *, name: str, described: Described | None, store: Store) -> str:
    """Describe, prove, register and publish a model; returns its version.

    It becomes champion and latest where there is no champion yet.

    Args:
        uri: where MLflow finds it: `models:/…`, `runs:/…` or a directory.
        sample: rows such as it will be asked about.
        source: of the sample, for messages.
        name: of the registered model and its place in the store.
        described: its table; None takes what the model's signature and the sample say.
        store: the model's place in a store.

    Raises:
        RegistryError: MLflow does not have the model.
        ProofError: the service would refuse it, or predict otherwise than XGBoost.
        DataError: the sample does not fit it.
        StoreError: the store has another model under its version.
    """
    with TemporaryDirectory() as temporary:
        foreign = _fetch(uri, Path(temporary))
        schema = described.table.schema() if described else _described_by(foreign, sample, name)
        rows = check_features(sample, schema.features, source).head(MOST_ROWS)
        if rows.empty:
            raise DataError(f"{source} has no rows: give some such as the model will be asked about.")
        data = numbers(rows, schema)
        proof.prove(foreign.folder, data, schema)
        (foreign.folder / CARD_NAME).write_text(_card(foreign, schema, source, len(rows)))
        version, run_id = _register(foreign, name)
        publication.add(_manifest(foreign, schema, rows, data, version, run_id, described), foreign.folder, store)
    if registry.champion(name) is None:
        registry.crown(name, version)
        store.promote(version)
        log.info("It is champion and latest: there was no champion")
    return version


def _fetch(uri: str, folder: Path) -> Foreign:
    try:
        mlflow.artifacts.download_artifacts(uri, dst_path=os.fspath(folder))
    except (MlflowException, OSError) as error:
        raise RegistryError(f"{uri} cannot be fetched: {' '.join(str(error).split())}") from error
    found = next((path.parent for path in sorted(folder.rglob(MLMODEL))), None)
    if found is None:
        raise RegistryError(f"{uri} is no model that MLflow saved: it has no {MLMODEL}.")
    # What another program published of it is not what is published here.
    for old in (MANIFEST_NAME, CARD_NAME):
        (found / old).unlink(missing_ok=True)
    try:
        mlmodel = decode_mlmodel((found / MLMODEL).read_bytes())
        file = data_path(mlmodel)
        raw = (found / file).read_bytes()
        trees = Trees.of(xgboost_file.read(file, raw, mlmodel.flavors.xgboost.model_class))
    except ModelRefused as error:
        raise ProofError(f"The service refuses {uri}: {error}") from error
    except OSError as error:
        raise RegistryError(f"{uri} lacks its model file: {error}") from error
    return Foreign(found, mlmodel, trees, uri)


def _described_by(foreign: Foreign, sample: Read, name: str) -> Schema:
    """The schema that the signature gives, with what the sample shows: examples, and what is missing."""
    try:
        schema = plain_schema(foreign.trees, foreign.mlmodel)
        check_agreement(schema, foreign.trees, foreign.mlmodel)
    except ModelRefused as error:
        raise ProofError(f"{foreign.uri} does not say enough of its columns: {error}; give --table FILE") from error
    columns = {str(column): sample.table[column] for column in sample.table.columns}
    features = [
        structs.replace(feature, missing=feature.missing or bool(columns[feature.name].isna().any()))
        if feature.name in columns
        else feature
        for feature in schema.features
    ]
    typed = check_features(sample, features, "the sample")
    return structs.replace(
        schema, name=name, features=tuple(_with_example(feature, typed[feature.name]) for feature in features)
    )


def _with_example(feature: Feature, column: pd.Series) -> Feature:
    present = column.dropna()
    if present.empty:
        return feature
    value = present.iloc[0]
    if feature.kind == "category":
        return structs.replace(feature, example=str(value))
    return structs.replace(feature, example=bool(value) if feature.kind == "boolean" else float(value))


def _register(foreign: Foreign, name: str) -> tuple[str, str]:
    """A new version in the registry, with the directory as it is; returns it and its run."""
    with tracking.run(name, f"adopted from {foreign.uri}") as run_id:
        mlflow.log_artifacts(os.fspath(foreign.folder), "model")
        mlflow.set_tag("adopted_from", foreign.uri)
        registry.open_model(name)
        client = mlflow.MlflowClient()
        source = f"{client.get_run(run_id).info.artifact_uri}/model"
        return str(client.create_model_version(name, source, run_id).version), run_id


def _manifest(
    foreign: Foreign,
    schema: Schema,
    rows: pd.DataFrame,
    data: npt.NDArray[np.float32],
    version: str,
    run_id: str,
    described: Described | None,
) -> Manifest:
    predicted = foreign.trees.predict(data)
    chosen = np.linspace(0, len(data) - 1, min(KNOWN_ANSWERS, len(data))).astype(int)
    exact = predicted.astype(np.float64)
    shown = no_and_yes(exact) if schema.target.kind == "boolean" else exact
    return Manifest(
        schema=schema,
        model_version=version,
        run_id=run_id,
        trained_at=foreign.mlmodel.utc_time_created or datetime.now(UTC).isoformat(timespec="seconds"),
        xgboost_version=foreign.mlmodel.flavors.xgboost.xgb_version,
        table_sha256=described.sha256 if described else "",
        ranges=ranges(rows, schema.features),
        known_answers=recorded(data[chosen], foreign.trees.margins(data[chosen]), predicted[chosen]),
        metrics={},
        distribution=distribution(rows, shown, schema),
        files=publication.digests(foreign.folder),
    )


def _card(foreign: Foreign, schema: Schema, source: str, rows: int) -> str:
    features = "\n".join(f"| {feature.name} | {feature.kind} | {feature.unit} |" for feature in schema.features)
    return f"""# Model card: {schema.name}

Adopted from `{foreign.uri}`: another program trained it (XGBoost {foreign.mlmodel.flavors.xgboost.xgb_version},
`{foreign.trees.objective.name}`). How good it is was not measured here. Its ranges are those of {rows:,} rows of
{source}; the service's predictions equal XGBoost's there, and on thousands of rows at the edges.

| Feature | Kind | Unit |
|---|---|---|
{features}
"""
