"""Trees from rows that stream by: XGBoost keeps a byte or two of each value, the bin that it falls into."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
import xgboost
from xgboost.callback import TrainingCallback

from training.fitting.estimators import features, truth, xgboost_model
from training.in_parts.sides import Sides
from training.in_parts.survey import learned_of
from training.rows.parts import Part
from training.tables.description import Table

USUAL_BINS = 256
"""XGBoost's own number, where a candidate does not name another."""


class Work(NamedTuple):
    """What is to be learned from: which rows of a table, by which candidates."""

    description: Table
    sides: Sides
    candidates: Sequence[Mapping[str, Any]]
    seed: int


class _Rows(xgboost.DataIter):
    """The rows of parts that are learned from, as XGBoost asks for them: four times from the first to the last."""

    def __init__(self, parts: Sequence[Part], description: Table, sides: Sides) -> None:
        super().__init__()
        self.parts, self.description, self.sides = parts, description, sides
        self.batches = self._batches()

    def reset(self) -> None:
        self.batches = self._batches()

    def next(self, input_data: Any) -> bool:
        rows = next(self.batches, None)
        if rows is None:
            return False
        input_data(data=features(rows, self.description), label=truth(rows, self.description))
        return True

    def _batches(self) -> Iterator[pd.DataFrame]:
        for part in self.parts:
            yield from learned_of(part, self.description, self.sides)


def learn(
    parts: Sequence[Part], work: Work, *, threads: int, callbacks: Sequence[TrainingCallback] = ()
) -> list[bytearray]:
    """A model of each candidate, as XGBoost saves it; within a communicator, of the parts of all its workers.

    The rows are read, checked and sorted into bins once for all candidates. The number of threads does not change the
    models: XGBoost's sums of a tree do not depend on it.
    """
    found = []
    matrices: dict[int, xgboost.QuantileDMatrix] = {}
    for candidate in work.candidates:
        bins = int(candidate.get("max_bin", USUAL_BINS))
        if bins not in matrices:
            rows = _Rows(parts, work.description, work.sides)
            matrices = {bins: xgboost.QuantileDMatrix(rows, max_bin=bins, nthread=threads, enable_categorical=True)}
        model = xgboost_model(work.description, work.seed, candidate)
        parameters = {name: value for name, value in model.get_xgb_params().items() if value is not None}
        if work.description.target.kind == "category":
            parameters["num_class"] = len(work.description.target.classes)
        booster = xgboost.train(
            parameters | {"nthread": threads},
            matrices[bins],
            model.get_num_boosting_rounds(),
            callbacks=list(callbacks),
        )
        found.append(booster.save_raw())
    return found


def as_estimator(raw: bytearray, candidate: Mapping[str, Any], description: Table, seed: int) -> Any:
    """A model that was learned, as scikit-learn's estimator that predicts with it."""
    model = xgboost_model(description, seed, candidate)
    model.load_model(raw)
    if description.target.kind == "category":
        model.n_classes_ = len(description.target.classes)
    return model
