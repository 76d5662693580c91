"""The row that the documents show and that readiness predicts, and how the model answers it."""

import math
from typing import Any

import msgspec
import numpy as np

from api.answers.answering import make_fields_of
from api.answers.bodies import Example
from api.errors import ModelRefused
from api.model.answers import Answer, Row
from api.model.model import Model
from api.rows.fields import Field
from api.rows.reader import RowReader

DIGITS = 4
"""Of the numbers in the documents."""


def example_row(model: Model, reader: RowReader) -> Row:
    """The schema's example in the model's numbers.

    Where a feature has none it is missing, or in the middle of its training range, or the lowest value that there is.

    Raises:
        ModelRefused: an example is none of its feature's values.
    """
    values: list[float] = []
    for feature, field in zip(model.schema.features, reader.fields, strict=True):
        if feature.example is not None:
            value = _checked(feature.example, field)
            values.append(float(field.codes[value] if field.codes else value))
        elif feature.missing:
            values.append(math.nan)
        else:
            low, high = model.ranges.get(feature.name, (feature.low or 0.0, feature.low or 0.0))
            values.append((low + high) / 2 if feature.kind == "number" else low)
    return tuple(values)


def _checked(example: Any, field: Field) -> Any:
    try:
        return msgspec.convert(example, field.type)
    except msgspec.ValidationError:
        shown = repr(example)[:64]
        raise ModelRefused(
            f"the model's schema gives {field.name!r} the example {shown}, which is not {field.allowed}"
        ) from None


def example_answer(model: Model, row: Row) -> Example:
    """How the model answers the row, as a person writes it down."""
    array = np.array([row], np.float32)
    answer = Answer(model.predict(array).tolist()[0], model.extrapolated(array)[0])
    fields = make_fields_of(model, _Interval)(answer)
    pushes = model.explain(array)[0]
    if model.trees.n_outputs > 1:
        pushes = pushes[model.schema.target.classes.index(fields["label"])]
    *contributions, base = pushes.tolist()
    shown = _rounded(msgspec.to_builtins(fields))
    if "value" in shown:
        shown = {model.schema.target.answer: shown.pop("value"), **shown}
    return Example(shown, _rounded(base), _rounded(dict(zip(model.schema.names, contributions, strict=True))))


class _Interval(msgspec.Struct):
    low: float
    high: float


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return value
