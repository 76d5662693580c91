"""The model that serves: loaded from a fetched directory, held against its schema, proven on known answers."""

import logging
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from api.errors import ModelRefused
from api.model.agreement import check_agreement, check_manifest
from api.model.plain import plain_schema
from api.model.soundness import check_schema
from api.store.fetch import FetchedModel
from api.store.manifest import IntervalBins, Manifest, Shares
from api.store.mlmodel import MLMODEL, MLmodel, data_path, decode_mlmodel
from api.store.schema import Schema
from api.trees import rounds, xgboost_file
from api.trees.walk import Contributions, Predictions, Rows, Trees

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Model:
    """A model that may serve. Rows are float32 of shape (n, features), in the model's numbers, NaN where missing."""

    schema: Schema
    trees: Trees
    where: str
    version: str
    run_id: str
    trained_at: str
    mlflow_version: str
    """The MLflow that wrote the model; empty if it does not say."""
    predicts_labels: bool
    """Whether MLflow answers with labels rather than probabilities."""
    metrics: dict[str, float] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Lowest and highest training value of each number; empty if unknown."""
    interval: IntervalBins | None = None
    label_threshold: float | None = None
    distribution: dict[str, Shares] = field(default_factory=dict)
    table_sha256: str = ""

    def __post_init__(self) -> None:
        anything = (-np.inf, np.inf)
        bounds = np.array([self.ranges.get(name, anything) for name in self.schema.names], np.float32)
        object.__setattr__(self, "_low", bounds[:, 0].copy())
        object.__setattr__(self, "_high", bounds[:, 1].copy())
        object.__setattr__(self, "_names", np.array(self.schema.names, object))

    _low: Rows = field(init=False, repr=False)
    _high: Rows = field(init=False, repr=False)
    _names: npt.NDArray[np.object_] = field(init=False, repr=False)

    def predict(self, rows: Rows) -> Predictions:
        """A number, or the probability of yes, for each row: shape (n,); of several classes shape (n, classes)."""
        return self.trees.predict(rows)

    def explain(self, rows: Rows) -> Contributions:
        """How far each feature pushes the raw score of each row.

        Shape (n, features + 1), the base value last; of several classes (n, classes, features + 1).
        """
        return self.trees.explain(rows)

    def outside(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Of each row which values lie outside the training data: shape (n, features)."""
        return (rows < self._low) | (rows > self._high)

    def extrapolated(self, rows: Rows) -> list[list[str]]:
        """Of each row the features whose values lie outside the training data."""
        # Two thirds of the time of `outside`, where all is well.
        if np.minimum(np.maximum(rows, self._low), self._high).tobytes() == rows.tobytes():
            return [[]] * len(rows)
        outside = self.outside(rows)
        found: list[list[str]] = [[]] * len(rows)
        for place in np.flatnonzero(outside.any(axis=1)).tolist():
            found[place] = self._names[outside[place]].tolist()
        return found

    @classmethod
    def load(cls, fetched: FetchedModel) -> Self:
        """Build the model from its files.

        Raises:
            ModelRefused: the model is damaged, of a kind not covered, not what its schema says, or it does not
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
        if fetched.manifest is None:
            return cls._plain(trees, mlmodel, fetched)
        manifest = fetched.manifest
        xgboost_file.refuse_untested(manifest.xgboost_version)
        check_manifest(manifest)
        check_agreement(manifest.schema, trees, mlmodel)
        _check_known_answers(trees, manifest)
        return cls(
            schema=manifest.schema,
            trees=trees,
            where=fetched.where,
            version=manifest.model_version,
            run_id=manifest.run_id,
            trained_at=manifest.trained_at,
            mlflow_version=mlmodel.mlflow_version,
            predicts_labels=_predicts_labels(trees, mlmodel),
            metrics=manifest.metrics,
            ranges=manifest.ranges,
            interval=manifest.interval,
            label_threshold=manifest.label_threshold,
            distribution=manifest.distribution,
            table_sha256=manifest.table_sha256,
        )

    @classmethod
    def _plain(cls, trees: Trees, mlmodel: MLmodel, fetched: FetchedModel) -> Self:
        schema = plain_schema(trees, mlmodel)
        check_schema(schema)
        check_agreement(schema, trees, mlmodel)
        return cls(
            schema=schema,
            trees=trees,
            where=fetched.where,
            version="unpublished",
            run_id=mlmodel.run_id or "",
            trained_at=mlmodel.utc_time_created or "",
            mlflow_version=mlmodel.mlflow_version,
            predicts_labels=_predicts_labels(trees, mlmodel),
        )


def _predicts_labels(trees: Trees, mlmodel: MLmodel) -> bool:
    return trees.objective.name == "multi:softmax" or mlmodel.flavors.xgboost.model_class in rounds.CLASSIFIERS


def _check_known_answers(trees: Trees, manifest: Manifest) -> None:
    known = manifest.known_answers
    with np.errstate(over="ignore"):
        rows = np.array(known.rows, np.float32)
        scores, predictions = (np.array(values, np.float32) for values in (known.scores, known.predictions))
    for walked, expected in ((trees.margins, scores), (trees.predict, predictions)):
        together = walked(rows).reshape(expected.shape)
        one_by_one = np.concatenate([walked(row[np.newaxis]) for row in rows]).reshape(expected.shape)
        wrong = ((together != expected) | (one_by_one != expected)).any(axis=1)
        for i in np.flatnonzero(wrong)[:1]:
            raise ModelRefused(
                f"the model predicts {together[i].tolist()} for known row {i}, where XGBoost predicted "
                f"{expected[i].tolist()} at training; it would serve wrong numbers: train and publish again"
            )
    log.info("known answers reproduced: %d of %d", len(rows), len(rows))
