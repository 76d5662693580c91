"""What a row and an answer are: the description of a table, which travels with every model trained on it.

Nothing of any table is written in the service: it reads this from the model that it loads.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

ANSWER_FIELDS = frozenset(
    {
        "unit",
        "interval",
        "extrapolated",
        "model_version",
        "base_value",
        "contributions",
        "contributions_unit",
        "predictions",
    }
)
"""Of every answer with a number, beside the one that the number itself stands in."""

Scalar = bool | float | str

Kind = Literal["number", "integer", "boolean", "category"]


class Feature(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One column that a prediction is made from."""

    name: str
    """As in the table: the same in requests, refusals and on the page."""
    kind: Kind = "number"
    title: str = ""
    """For people; the name where it is empty."""
    description: str = ""
    unit: str = ""
    low: float | None = None
    """Lowest value accepted; None: any."""
    high: float | None = None
    """Highest value accepted; None: any."""
    reason: str = ""
    """Why the bounds are what they are."""
    missing: bool = False
    """Whether it may be left out, or be null."""
    categories: tuple[str, ...] = ()
    """The values of a category; a value's place is its code in the model."""
    example: Scalar | None = None

    @property
    def label(self) -> str:
        """What people call it."""
        return self.title or self.name


class Show(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a person reads a number: times `factor`, rounded to `digits`, between `prefix` and `suffix`."""

    prefix: Annotated[str, Meta(description="Before the number.")] = ""
    suffix: Annotated[str, Meta(description="Behind it.")] = ""
    factor: Annotated[float, Meta(description="What the number is multiplied by.")] = 1.0
    digits: Annotated[int, Meta(description="How many decimals are shown.")] = 0


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is predicted."""

    name: str
    """The column, as in the table."""
    kind: Literal["number", "boolean", "category"] = "number"
    answer: str = "prediction"
    """The field of an answer that holds the predicted number; classes are always answered as `label`."""
    title: str = ""
    short: str = ""
    """A shorter title, for summaries; the title where it is empty."""
    unit: str = ""
    basis: str = ""
    """What the unit refers to, such as `of last year`."""
    classes: tuple[str, ...] = ()
    """Of a yes/no target the negative one first; a class's place is its code in the model."""
    low: float | None = None
    """No true value is lower, so no interval begins below."""
    high: float | None = None
    """No true value is higher, so no interval ends above."""
    show: Show | None = None

    @property
    def label(self) -> str:
        """What people call it."""
        return self.title or self.name

    @property
    def measure(self) -> str:
        """The unit in full, with what it refers to; empty where there is none."""
        return f"{self.unit} {self.basis}".strip()


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A point that is drawn on the map."""

    name: Annotated[str, Meta(description="What is written beside it.")]
    latitude: Annotated[float, Meta(description="Degrees north.")]
    longitude: Annotated[float, Meta(description="Degrees east.")]


class Map(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A map to choose two features on."""

    latitude: Annotated[str, Meta(description="Name of the feature that is degrees north.")]
    longitude: Annotated[str, Meta(description="Name of the feature that is degrees east.")]
    name: Annotated[str, Meta(description="What is drawn, such as the land's name.")] = ""
    outline: Annotated[
        tuple[tuple[float, float], ...], Meta(description="Degrees north and east of each corner of the land.")
    ] = ()
    places: Annotated[tuple[Place, ...], Meta(description="Points to find one's way by.")] = ()


class Page(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the page to try the model says above the form."""

    title: Annotated[str, Meta(description="The heading.")] = ""
    description: Annotated[str, Meta(description="A sentence below it.")] = ""
    map: Annotated[Map | None, Meta(description="A map, if two features are a place.")] = None


class Schema(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A table: what a row is, the columns in the model's order, and what is predicted."""

    name: str
    """Of the registered model, and of its place in a store."""
    title: str = ""
    description: str = ""
    """A sentence: what is predicted of what."""
    row: str = "row"
    rows: str = ""
    row_description: str = ""
    """A sentence: what one row is."""
    features: tuple[Feature, ...]
    target: Target
    page: Page = msgspec.field(default_factory=Page)

    @property
    def heading(self) -> str:
        """What people call the table."""
        return self.title or self.name

    @property
    def plural(self) -> str:
        """Several rows, in a word."""
        return self.rows or f"{self.row}s"

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in the model's order."""
        return tuple(feature.name for feature in self.features)

    @property
    def example(self) -> dict[str, Scalar]:
        """The examples of the features that have one: a row, if all of them have."""
        return {feature.name: feature.example for feature in self.features if feature.example is not None}
