"""The bodies of answers, made of a table's schema when its model is loaded."""

from types import GenericAlias
from typing import Any, NamedTuple

import msgspec

from api.rows.fields import described, lowered
from api.rows.structs import Body
from api.store.schema import Schema, Target

EXPLANATION = """\
A prediction and how far each feature pushed it: the base value and the contributions add up to it.

    XGBoost's `approx_contribs`: at each split of each tree, the change in what the tree predicts is put down to the
    feature that was asked about (Saabas' method). It takes about as long as the prediction itself. It is not SHAP:
    where features act together, the one that is asked about last gets more of the credit."""

RAW_SCORE = "raw score"
"""The unit of contributions where a link function makes the prediction of their sum."""


class Example(NamedTuple):
    """How the model answers the schema's example, for the documents."""

    answer: dict[str, Any]
    """The fields of a batch's item."""
    base_value: float
    contributions: dict[str, float]


class Bodies(NamedTuple):
    """What answers are written from. The field that holds the predicted number is `value` in here."""

    prediction: Body
    item: Body
    """One row's answer within a batch."""
    batch_prediction: Body
    explanation: Body
    interval: Body
    """Of a number alone."""


def make_bodies(schema: Schema, example: Example, *, linked: bool) -> Bodies:
    """The types for this table. `linked`: a link function makes the prediction of the raw score."""
    target = schema.target
    interval = _interval(schema, example)
    value, *beside = _number(target, interval, example) if target.kind == "number" else _classes(target, example)
    unit = [_unit(target)] if target.unit else []
    extrapolated = (
        "extrapolated",
        described(
            list[str],
            description="Features outside the range that the model was trained on: the prediction is a guess there.",
            examples=[example.answer["extrapolated"]],
        ),
    )
    version = (
        "model_version",
        described(str, description="Version of the model that answered.", examples=["1"]),
    )
    what, rename = lowered(target.label), {"value": target.answer}
    item = _body("BatchItem", "One row's answer within a batch.", [value, *beside, extrapolated], rename, kw_only=False)
    return Bodies(
        prediction=_body(
            "Prediction",
            f"The {what} of one {schema.row}.",
            [value, *unit, *beside, extrapolated, version],
            rename,
        ),
        item=item,
        batch_prediction=_body(
            "BatchPrediction",
            f"The {what}s of a batch, in the order of its rows.",
            [
                (
                    "predictions",
                    described(
                        GenericAlias(list, (item,)),
                        description="One for each row, in the rows' order.",
                        examples=[[example.answer]],
                    ),
                ),
                *unit,
                version,
            ],
        ),
        explanation=_body(
            "Explanation",
            EXPLANATION,
            [value, *unit, *beside, extrapolated, *_explained(target, example, linked=linked), version],
            rename,
        ),
        interval=interval,
    )


def _body(
    name: str, text: str, fields: list[Any], rename: dict[str, str] | None = None, *, kw_only: bool = True
) -> Body:
    return msgspec.defstruct(
        name, fields, namespace={"__doc__": text}, rename=rename, frozen=True, gc=False, kw_only=kw_only
    )


def _number(target: Target, interval: Body, example: Example) -> list[Any]:
    measure = f", in {target.measure}" if target.unit else ""
    return [
        (
            "value",
            described(
                float,
                description=f"Predicted {lowered(target.label)}{measure}.",
                examples=[example.answer[target.answer]],
                extra_json_schema={"x-unit": target.unit} if target.unit else None,
            ),
        ),
        (
            "interval",
            described(
                interval | None,
                description="90 % prediction interval; null if the model has none.",
                examples=[example.answer["interval"]],
            ),
        ),
    ]


def _interval(schema: Schema, example: Example) -> Body:
    shown = example.answer.get("interval") or {}
    return msgspec.defstruct(
        "Interval",
        [
            (
                "low",
                described(float, description="Its lower end, in the answer's unit.", examples=[shown.get("low", 0.0)]),
            ),
            (
                "high",
                described(float, description="Its upper end, in the answer's unit.", examples=[shown.get("high", 0.0)]),
            ),
        ],
        namespace={
            "__doc__": f"Where the true value lies for 90 of 100 {schema.plural} like those the model was trained on."
        },
        frozen=True,
        gc=False,
    )


def _classes(target: Target, example: Example) -> list[Any]:
    return [
        (
            "label",
            described(
                str,
                description=f"Predicted {lowered(target.label)}: the most probable one.",
                examples=[example.answer["label"]],
                extra_json_schema={"enum": list(target.classes)},
            ),
        ),
        (
            "probabilities",
            described(
                dict[str, float],
                description="The probability of each.",
                examples=[example.answer["probabilities"]],
            ),
        ),
        (
            "set",
            described(
                list[str] | None,
                description="The set that holds the true one for 90 of 100 rows; null if the model was not calibrated.",
                examples=[example.answer["set"]],
            ),
        ),
    ]


def _unit(target: Target) -> Any:
    return (
        "unit",
        described(
            str,
            description=f"Unit of every {lowered(target.short or target.label)} in this answer.",
            examples=[target.unit],
        ),
        target.unit,
    )


def _explained(target: Target, example: Example, *, linked: bool) -> list[Any]:
    unit = {"x-unit": RAW_SCORE} if linked else {"x-unit": target.unit} if target.unit else None
    measure = "in raw score" if linked else "in the answer's unit"
    fields: list[Any] = [
        (
            "base_value",
            described(
                float,
                description="The raw score where nothing is known."
                if linked
                else "The prediction where nothing is known: the mean over the training data.",
                examples=[example.base_value],
                extra_json_schema=unit,
            ),
        ),
        (
            "contributions",
            described(
                dict[str, float],
                description=f"How far each feature pushes the prediction up or, negative, down, {measure}.",
                examples=[example.contributions],
            ),
        ),
    ]
    if linked:
        fields.append(
            (
                "contributions_unit",
                described(
                    str,
                    description="A link function makes the prediction of the raw score, the sum of all these.",
                    examples=[RAW_SCORE],
                ),
                RAW_SCORE,
            )
        )
    if len(target.classes) > 2:
        explained = "The class whose raw score is explained: the predicted one, or the one asked for with `?class=`."
        fields.append(("explained_class", described(str, description=explained, examples=[example.answer["label"]])))
    return fields
