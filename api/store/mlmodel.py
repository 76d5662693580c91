"""Reads `MLmodel`, MLflow's description of a model directory, without MLflow."""

from typing import Any, NamedTuple

import msgspec
import yaml

from api.errors import ModelRefused
from api.store.directory import check_name

MLMODEL = "MLmodel"
MAX_MLMODEL_BYTES = 2**20
MAX_DEPTH = 32


class _XGBoostFlavor(msgspec.Struct):
    data: str
    xgb_version: str = ""
    model_class: str = "xgboost.core.Booster"
    """The Python class that MLflow loads the file with; older files do not say."""


class _Flavors(msgspec.Struct):
    xgboost: _XGBoostFlavor


class _Signature(msgspec.Struct):
    inputs: str = "[]"


class MLmodel(msgspec.Struct):
    """The part of MLflow's model description that the service relies on."""

    flavors: _Flavors
    signature: _Signature | None = None
    run_id: str | None = None
    utc_time_created: str | None = None
    mlflow_version: str = ""


def decode_mlmodel(raw: bytes) -> MLmodel:
    """Read an `MLmodel` file: plain YAML, nothing in it is executed.

    Raises:
        ModelRefused: it is not the description of an XGBoost model.
    """
    try:
        _refuse_bombs(raw)
        document = msgspec.yaml.decode(raw)
        _refuse_other_libraries(document)
        return msgspec.convert(document, MLmodel, strict=False)
    except (msgspec.DecodeError, yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ModelRefused(f"{MLMODEL} does not describe an XGBoost model: {error}") from error


def _refuse_bombs(raw: bytes) -> None:
    """Refuse YAML that is small as a file and enormous once loaded; MLflow writes none."""
    depth = 0
    for event in yaml.parse(raw, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ModelRefused(f"{MLMODEL} holds YAML aliases, which can make a small file fill the memory")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ModelRefused(f"{MLMODEL} nests more than {MAX_DEPTH} levels deep")


def _refuse_other_libraries(document: Any) -> None:
    flavors = document.get("flavors") if isinstance(document, dict) else None
    if isinstance(flavors, dict) and "xgboost" not in flavors:
        names = [str(name)[:50] for name in flavors if name != "python_function"]
        raise ModelRefused(
            f"{MLMODEL} describes a model of {', '.join(names[:5]) or 'no library'}; "
            "the service serves what mlflow.xgboost saves"
        )


def data_path(mlmodel: MLmodel) -> str:
    """The model file that `MLmodel` names, a path inside the directory.

    Raises:
        ModelRefused: it leaves the directory.
    """
    name = mlmodel.flavors.xgboost.data
    check_name(name)
    return name


class Column(NamedTuple):
    """A named column of MLflow's signature."""

    name: str
    type: str
    required: bool


def signature_columns(mlmodel: MLmodel) -> list[Column]:
    """The named columns that the model was logged with; none where it was logged without, or with a tensor.

    Raises:
        ModelRefused: the signature cannot be read.
    """
    inputs = mlmodel.signature.inputs if mlmodel.signature else "[]"
    try:
        columns = msgspec.json.decode(inputs, type=list[dict[str, Any]])
        return [
            Column(str(column["name"]), str(column["type"]), column.get("required", True) is not False)
            for column in columns
            if "name" in column
        ]
    except (ValueError, KeyError, RecursionError) as error:
        raise ModelRefused(f"{MLMODEL}'s signature cannot be read: {error!r}") from error
