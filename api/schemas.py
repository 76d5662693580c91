"""The feature schema: the eight features, their units and their bounds, defined here and nowhere else.

Training takes the names and their order from here, the service its request body, the OpenAPI document its descriptions.
A bound is physical: a value outside it cannot describe a Californian block group, whatever a model has seen. Values
inside the bounds that lie outside the training data are answered and flagged.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

TARGET = "MedHouseVal"
TARGET_UNIT = "100,000 USD"


def _number(title: str, description: str, unit: str, low: float, high: float, why: str, example: float) -> Meta:
    return Meta(
        ge=low,
        le=high,
        title=title,
        description=f"{description} Bounds: {why}.",
        examples=[example],
        extra_json_schema={"x-unit": unit},
    )


class Features(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One census block group, in the dataset's own names, order and units (1990 US census)."""

    MedInc: Annotated[
        float,
        _number(
            "Median income",
            "Median household income in the block group, in 10,000 USD of 1990.",
            "10,000 USD",
            0.0,
            100.0,
            "an income is not negative, and a median above one million dollars is a sum given in dollars",
            8.3252,
        ),
    ]
    HouseAge: Annotated[
        float,
        _number(
            "House age",
            "Median age of the houses in the block group.",
            "years",
            0.0,
            250.0,
            "an age is not negative, and the oldest building in California dates from 1769",
            41.0,
        ),
    ]
    AveRooms: Annotated[
        float,
        _number(
            "Rooms",
            "Average number of rooms per household.",
            "rooms per household",
            0.0,
            1_000.0,
            "a count is not negative, and a thousand rooms a household is a total given for an average",
            6.984127,
        ),
    ]
    AveBedrms: Annotated[
        float,
        _number(
            "Bedrooms",
            "Average number of bedrooms per household.",
            "bedrooms per household",
            0.0,
            1_000.0,
            "as for the rooms, of which bedrooms are a part",
            1.023810,
        ),
    ]
    Population: Annotated[
        float,
        _number(
            "Population",
            "Number of people living in the block group.",
            "people",
            0.0,
            29_760_021.0,
            "a count is not negative, and a block group has no more people than all of California in the 1990 census",
            322.0,
        ),
    ]
    AveOccup: Annotated[
        float,
        _number(
            "Occupancy",
            "Average number of people per household.",
            "people per household",
            0.0,
            100_000.0,
            "a count is not negative; barracks and prisons reach thousands, no household a hundred thousand",
            2.555556,
        ),
    ]
    Latitude: Annotated[
        float,
        _number(
            "Latitude",
            "Latitude of the block group's centre, degrees north.",
            "degrees",
            32.5,
            42.1,
            "California lies between 32.53 and 42.01 degrees north",
            37.88,
        ),
    ]
    Longitude: Annotated[
        float,
        _number(
            "Longitude",
            "Longitude of the block group's centre, degrees east (negative: west).",
            "degrees",
            -124.5,
            -114.1,
            "California lies between 124.48 and 114.13 degrees west",
            -122.23,
        ),
    ]


FEATURES: tuple[str, ...] = Features.__struct_fields__
"""The feature names, in the order of a model's columns."""


def _meta(name: str) -> Meta:
    annotation: Any = Features.__annotations__[name]
    meta: Meta = annotation.__metadata__[0]
    return meta


BOUNDS: dict[str, tuple[float, float]] = {
    name: (float(_meta(name).ge or 0), float(_meta(name).le or 0)) for name in FEATURES
}
"""The lowest and highest value accepted for each feature."""

EXAMPLE: dict[str, float] = {name: (_meta(name).examples or [])[0] for name in FEATURES}
"""The first row of the dataset; its true target is 4.526."""

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
