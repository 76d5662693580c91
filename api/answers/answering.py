"""What a prediction is answered as: a number with its interval, or classes with their probabilities."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import msgspec

from api.model.batching import Answer
from api.model.classes import class_probabilities, most_probable
from api.model.model import Model

Fields = dict[str, Any]
"""The fields of an answer that come from the prediction; a number's own field is `value` in here."""


def make_fields_of(model: Model, interval: type[msgspec.Struct]) -> Callable[[Answer], Fields]:
    """What turns an answer of this model into the fields of a body."""
    if model.schema.target.kind == "number":
        return _number(model, interval)
    return _classes(model)


def _number(model: Model, interval: type[msgspec.Struct]) -> Callable[[Answer], Fields]:
    bins, target = model.interval, model.schema.target

    def fields(answer: Answer) -> Fields:
        value: Any = answer.value
        if bins is None:
            return {"value": value, "interval": None, "extrapolated": answer.extrapolated}
        place = bisect_right(bins.edges, value)
        low, high = value - bins.low[place], value + bins.high[place]
        if target.low is not None and low < target.low:
            low = min(target.low, value)
        if target.high is not None and high > target.high:
            high = max(target.high, value)
        return {"value": value, "interval": interval(low, high), "extrapolated": answer.extrapolated}

    return fields


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
