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
