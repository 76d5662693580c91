"""Many predictions as columns: what `api.answers.answering` makes of one, with the same arithmetic to the bit."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from api.model.intervals import Doubles, Intervals
from api.model.model import Model
from api.trees.walk import Predictions, Rows

_TEXTS = pa.list_(pa.string())


class AnswerColumns:
    """The columns of a model's answers; each row of them is the answer of `/predict`, but for its unit."""

    def __init__(self, model: Model) -> None:
        self.model, target = model, model.schema.target
        self.intervals = Intervals.of(model)
        if target.kind == "number":
            unit = {"unit": target.measure} if target.unit else None
            interval = pa.struct([("low", pa.float64()), ("high", pa.float64())])
            own = [pa.field(target.answer, pa.float64(), metadata=unit), pa.field("interval", interval)]
        else:
            probabilities = pa.struct([(name, pa.float64()) for name in target.classes])
            own = [
                pa.field("label", pa.string()),
                pa.field("probabilities", probabilities),
                pa.field("set", _TEXTS),
            ]
        self.fields = [*own, pa.field("extrapolated", _TEXTS), pa.field("model_version", pa.string())]

    def make(self, rows: Rows, predicted: Predictions) -> list[pa.Array]:
        """The columns for these rows, and what the model predicts for them: finite numbers."""
        values = predicted.astype(np.float64)
        own = self._number(values) if self.model.schema.target.kind == "number" else self._classes(values)
        version = pa.repeat(self.model.version, len(rows))
        return [*own, _lists(self.model.outside(rows), self.model.schema.names), version]

    def _number(self, values: Doubles) -> list[pa.Array]:
        value, interval = self.fields[:2]
        if self.intervals is None:
            return [pa.array(values), pa.nulls(len(values), interval.type)]
        ends = self.intervals.many(values)
        return [pa.array(values, value.type), pa.StructArray.from_arrays(ends, fields=list(interval.type))]

    def _classes(self, values: Doubles) -> list[pa.Array]:
        classes, threshold = self.model.schema.target.classes, self.model.label_threshold
        probabilities = values if values.ndim > 1 else np.stack([1.0 - values, values], axis=1)
        best = probabilities.argmax(axis=1)
        sets = pa.nulls(len(values), _TEXTS)
        if threshold is not None:
            chosen = probabilities >= threshold
            chosen[np.arange(len(best)), best] = True
            sets = _lists(chosen, classes)
        columns = [np.ascontiguousarray(column) for column in probabilities.T]
        return [
            pa.array(classes).take(best),
            pa.StructArray.from_arrays(columns, fields=list(self.fields[1].type)),
            sets,
        ]


def _lists(chosen: npt.NDArray[np.bool_], names: tuple[str, ...]) -> pa.Array:
    """For each row the names whose columns are chosen."""
    ends = np.concatenate([[0], np.cumsum(chosen.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(ends, pa.array(names, pa.string()).take(np.nonzero(chosen)[1]))
