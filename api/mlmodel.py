"""Reads `MLmodel`, MLflow's description of a model directory, without MLflow."""

import msgspec

from api.errors import ModelRefused
from api.store import check_name

MLMODEL = "MLmodel"


class _XGBoostFlavor(msgspec.Struct):
    data: str
    xgb_version: str = ""


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
        return msgspec.yaml.decode(raw, type=MLmodel, strict=False)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ModelRefused(f"{MLMODEL} does not describe an XGBoost model: {error}") from error


def data_path(mlmodel: bytes) -> str:
    """The model file that `MLmodel` names, a path inside the directory."""
    name = decode_mlmodel(mlmodel).flavors.xgboost.data
    check_name(name)
    return name
