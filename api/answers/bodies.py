"""The bodies of requests and answers that are made of the feature schema: batches, predictions, explanations."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from api.model.schema import EXAMPLE, FEATURES, TARGET_UNIT, Features

MAX_BATCH_ROWS = 10_000

EXAMPLE_VALUE = 3.9211
_Value = Annotated[
    float,
    Meta(
        description="Predicted median house value, in 100,000 USD of 1990.",
        examples=[EXAMPLE_VALUE],
        extra_json_schema={"x-unit": TARGET_UNIT},
    ),
]
_Unit = Annotated[str, Meta(description="Unit of every house value in this answer.", examples=[TARGET_UNIT])]
_Extrapolated = Annotated[
    list[str],
    Meta(
        description="Features outside the range that the model was trained on: the prediction is a guess there.",
        examples=[[]],
    ),
]
_ModelVersion = Annotated[str, Meta(description="Version of the model that answered.", examples=["1"])]


class Interval(msgspec.Struct, frozen=True, gc=False):
    """Where the true value lies for 90 of 100 block groups like those the model was trained on."""

    low: Annotated[float, Meta(description="Its lower end, in the answer's unit.", examples=[3.2602])]
    high: Annotated[float, Meta(description="Its upper end, in the answer's unit.", examples=[4.5821])]


_Interval = Annotated[
    Interval | None,
    Meta(
        description="90 % prediction interval; null if the model has none.", examples=[{"low": 3.2602, "high": 4.5821}]
    ),
]


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Block groups to predict together."""

    rows: Annotated[
        list[Features],
        Meta(
            min_length=1,
            max_length=MAX_BATCH_ROWS,
            description=f"1 to {MAX_BATCH_ROWS:,} block groups, answered in this order.",
            examples=[[EXAMPLE]],
        ),
    ]


class Prediction(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The median house value of one block group."""

    median_house_value: _Value
    unit: _Unit = TARGET_UNIT
    interval: _Interval
    extrapolated: _Extrapolated
    model_version: _ModelVersion


class BatchItem(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One row's answer within a batch."""

    median_house_value: _Value
    interval: _Interval
    extrapolated: _Extrapolated


_EXAMPLE_ITEM: dict[str, Any] = {
    "median_house_value": EXAMPLE_VALUE,
    "interval": {"low": 3.2602, "high": 4.5821},
    "extrapolated": [],
}


class BatchPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """The median house values of a batch, in the order of its rows."""

    predictions: Annotated[
        list[BatchItem], Meta(description="One for each row, in the rows' order.", examples=[[_EXAMPLE_ITEM]])
    ]
    unit: _Unit = TARGET_UNIT
    model_version: _ModelVersion


_EXAMPLE_PUSHES = (1.5443, 0.1429, 0.1668, -0.0459, -0.0937, 0.1147, -0.0377, 0.2044)


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction and how far each feature pushed it: the base value and the contributions add up to it.

    XGBoost's `approx_contribs`: at each split of each tree, the change in what the tree predicts is put down to the
    feature that was asked about (Saabas' method). It takes about as long as the prediction itself. It is not SHAP:
    where features act together, the one that is asked about last gets more of the credit.
    """

    median_house_value: _Value
    unit: _Unit = TARGET_UNIT
    interval: _Interval
    extrapolated: _Extrapolated
    base_value: Annotated[
        float,
        Meta(
            description="The prediction where nothing is known: the mean over the training data.",
            examples=[1.9254],
            extra_json_schema={"x-unit": TARGET_UNIT},
        ),
    ]
    contributions: Annotated[
        dict[str, float],
        Meta(
            description="How far each feature pushes the prediction up or, negative, down, in the answer's unit.",
            examples=[dict(zip(FEATURES, _EXAMPLE_PUSHES, strict=True))],
        ),
    ]
    model_version: _ModelVersion
