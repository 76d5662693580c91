"""The model that serves: loaded from a fetched directory, held against the feature schema, proven on known answers."""

import logging
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec
import numpy as np
import numpy.typing as npt

from api.errors import ModelRefused
from api.model.schema import FEATURES
from api.store.fetch import FetchedModel
from api.store.manifest import Manifest
from api.store.mlmodel import MLMODEL, MLmodel, data_path, decode_mlmodel
from api.trees import xgboost_file
from api.trees.walk import Contributions, Predictions, Rows, Trees

log = logging.getLogger(__name__)

MAX_KNOWN_ANSWERS = 1000
NUMERIC_TYPES = {"double", "float", "integer", "long"}


@dataclass(frozen=True)
class Model:
    """A model that may serve. `low` and `high` are the training range of each feature, in column order."""

    trees: Trees
    where: str
    version: str
    run_id: str
    trained_at: str
    metrics: dict[str, float]
    low: Rows
    high: Rows
    half_width: float | None
    mlflow_version: str
    """The MLflow that wrote the model; empty if it does not say."""
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)

    def predict(self, rows: Rows) -> Predictions:
        """Predict rows of shape (n, 8), float32, in column order; returns shape (n,), in units of the target."""
        return self.trees.predict(rows)

    def explain(self, rows: Rows) -> Contributions:
        """How far each feature pushes the predictions of rows of shape (n, 8); shape (n, 9), the base value last."""
        return self.trees.explain(rows)

    def outside(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Which values of rows of shape (n, 8) lie outside the training data; the same shape."""
        outside: npt.NDArray[np.bool_] = (rows < self.low) | (rows > self.high)
        return outside

    @classmethod
    def load(cls, fetched: FetchedModel) -> Self:
        """Build the model from its files.

        Raises:
            ModelRefused: the model is damaged, of a kind not covered, made for other features, or it does not
                reproduce the answers it was published with. The message says where it lies.
        """
        try:
            return cls._build(fetched)
        except ModelRefused as error:
            raise ModelRefused(f"{fetched.where}: {error}") from error

    @classmethod
    def _build(cls, fetched: FetchedModel) -> Self:
        mlmodel = decode_mlmodel(fetched.files[MLMODEL])
        data = data_path(mlmodel)
        flavor = mlmodel.flavors.xgboost
        xgboost_file.refuse_untested(flavor.xgb_version)
        trees = Trees.of(xgboost_file.read(data, fetched.files[data], flavor.model_class))
        check_kind(trees)
        _check_features(trees, mlmodel, fetched.manifest)
        if fetched.manifest is None:
            return cls._plain(trees, mlmodel, fetched)
        manifest = fetched.manifest
        xgboost_file.refuse_untested(manifest.xgboost_version)
        _check_known_answers(trees, manifest)
        bounds = np.array([manifest.ranges[name] for name in FEATURES], np.float32)
        return cls(
            trees=trees,
            where=fetched.where,
            version=manifest.model_version,
            run_id=manifest.run_id,
            trained_at=manifest.trained_at,
            metrics=manifest.metrics,
            low=bounds[:, 0],
            high=bounds[:, 1],
            half_width=manifest.interval_half_width,
            mlflow_version=mlmodel.mlflow_version,
            ranges=manifest.ranges,
        )

    @classmethod
    def _plain(cls, trees: Trees, mlmodel: MLmodel, fetched: FetchedModel) -> Self:
        anywhere = np.full(len(FEATURES), np.inf, np.float32)
        return cls(
            trees=trees,
            where=fetched.where,
            version="unpublished",
            run_id=mlmodel.run_id or "",
            trained_at=mlmodel.utc_time_created or "",
            metrics={},
            low=-anywhere,
            high=anywhere,
            half_width=None,
            mlflow_version=mlmodel.mlflow_version,
        )


def check_kind(trees: Trees) -> None:
    """Refuse what is read but not served: answers are numbers, and contributions add up to them.

    Raises:
        ModelRefused: the model predicts something else, has a link function, or takes categories.
    """
    objective = trees.objective
    if objective.kind != "number" or objective.link.name != "identity":
        raise ModelRefused(
            f"the model's objective is {objective.name!r} ({objective.kind}, {objective.link.name} link); "
            "the service predicts numbers without a link function, such as 'reg:squarederror'"
        )
    if trees.layout.categories is not None or "c" in trees.feature_types:
        raise ModelRefused("the model takes categories; the service's features are all numbers")


def _check_features(trees: Trees, mlmodel: MLmodel, manifest: Manifest | None) -> None:
    """The model file, MLflow's signature and the manifest must all name the schema's features, in its order."""
    if trees.n_features != len(FEATURES):
        raise ModelRefused(f"the model has {trees.n_features} features; the service has {len(FEATURES)}: {FEATURES}")
    named = {"the model file": trees.feature_names, f"{MLMODEL}'s signature": _signature_names(mlmodel)}
    if manifest is not None:
        named["the manifest"] = manifest.features
        if set(manifest.ranges) != set(FEATURES):
            raise ModelRefused(f"the manifest gives ranges for {sorted(manifest.ranges)}, not for the eight features")
        for name, (low, high) in manifest.ranges.items():
            if low > high:
                raise ModelRefused(f"the manifest's range of {name} is {low} to {high}, which holds no value")
        if (manifest.interval_half_width or 0) < 0:
            raise ModelRefused(f"the manifest's interval half-width is negative: {manifest.interval_half_width}")
    for source, names in named.items():
        if (names or source == "the manifest") and tuple(names) != FEATURES:
            raise ModelRefused(f"{source} has the features {names}; the service's schema has {list(FEATURES)}")
    if not any(named.values()):
        log.warning("the model does not name its columns: they are taken to be %s, in this order", ", ".join(FEATURES))


def _signature_names(mlmodel: MLmodel) -> list[str]:
    try:
        inputs = mlmodel.signature.inputs if mlmodel.signature else "[]"
        columns = msgspec.json.decode(inputs, type=list[dict[str, Any]])
        names = [column["name"] for column in columns if "name" in column]
        kinds = [(column["name"], column["type"]) for column in columns if "name" in column]
    except (ValueError, KeyError, RecursionError) as error:
        raise ModelRefused(f"{MLMODEL}'s signature cannot be read: {error!r}") from error
    for name, kind in kinds:
        if str(kind) not in NUMERIC_TYPES:
            raise ModelRefused(
                f"{MLMODEL}'s signature gives {name} the type {kind!r}; the schema's features are numbers"
            )
    return names


def _check_known_answers(trees: Trees, manifest: Manifest) -> None:
    known = manifest.known_answers
    if (
        not 1 <= len(known.rows) <= MAX_KNOWN_ANSWERS
        or len(known.predictions) != len(known.rows)
        or any(len(row) != len(FEATURES) for row in known.rows)
    ):
        raise ModelRefused(
            f"the manifest's known answers are not 1 to {MAX_KNOWN_ANSWERS} rows of eight numbers with one prediction "
            "each: train and publish again"
        )
    with np.errstate(over="ignore"):
        rows = np.array(known.rows, np.float32)
        expected = np.array(known.predictions, np.float32)
    together = trees.predict(rows)
    one_by_one = np.concatenate([trees.predict(row[np.newaxis]) for row in rows])
    for i in np.flatnonzero((together != expected) | (one_by_one != expected))[:1]:
        raise ModelRefused(
            f"the model predicts {together[i]} for known row {i}, where XGBoost predicted {expected[i]} at training; "
            "it would serve wrong numbers: train and publish again"
        )
    log.info("known answers reproduced: %d of %d", len(rows), len(rows))
