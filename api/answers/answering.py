"""What a prediction is answered as: a number with its interval, or classes with their probabilities."""

from collections.abc import Callable
from itertools import repeat
from typing import Any

import msgspec
import numpy as np

from api.model.answers import Answer, Answers
from api.model.classes import class_probabilities, most_probable
from api.model.intervals import Intervals
from api.model.model import Model
from api.rows.structs import Body

Fields = dict[str, Any]
"""The fields of an answer that come from the prediction; a number's own field is `value` in here."""


def make_fields_of(model: Model, interval: Body) -> Callable[[Answer], Fields]:
    """What turns an answer of this model into the fields of a body."""
    if model.schema.target.kind == "number":
        return _number(model, interval)
    return _classes(model)


def make_items_of(model: Model, interval: Body, item: Body) -> Callable[[Answers], list[msgspec.Struct]]:
    """What turns answers of this model into a batch's items, each with the fields of its answer in their order."""
    if model.schema.target.kind == "number":
        return _numbers(model, interval, item)
    fields = _classes(model)
    return lambda answers: [item(**fields(answer)) for answer in answers.one_by_one()]


def _number(model: Model, interval: Body) -> Callable[[Answer], Fields]:
    intervals = Intervals.of(model)

    def fields(answer: Answer) -> Fields:
        value: Any = answer.value
        return {
            "value": value,
            "interval": interval(*intervals.one(value)) if intervals else None,
            "extrapolated": answer.extrapolated,
        }

    return fields


def _numbers(model: Model, interval: Body, item: Body) -> Callable[[Answers], list[msgspec.Struct]]:
    intervals = Intervals.of(model)

    def items(answers: Answers) -> list[msgspec.Struct]:
        values = answers.predicted.astype(np.float64)
        of_each: Any = repeat(None)
        if intervals:
            low, high = intervals.many(values)
            of_each = map(interval, low.tolist(), high.tolist())
        return list(map(item, values.tolist(), of_each, answers.extrapolated))

    return items


def _classes(model: Model) -> Callable[[Answer], Fields]:
    classes, threshold = model.schema.target.classes, model.label_threshold

    def fields(answer: Answer) -> Fields:
        probabilities = class_probabilities(answer.value)
        best = most_probable(probabilities)
        label_set = None
        if threshold is not None:
            # The most probable one belongs to it however improbable it is: an empty set would say nothing.
            label_set = [
                name
                for i, (name, probability) in enumerate(zip(classes, probabilities, strict=True))
                if i == best or probability >= threshold
            ]
        return {
            "label": classes[best],
            "probabilities": dict(zip(classes, probabilities, strict=True)),
            "set": label_set,
            "extrapolated": answer.extrapolated,
        }

    return fields
