"""What a table's description may say: its keys, their types, their defaults and what they mean.

`training.tables.loading` reads a file into it and checks it; `training.tables.reference` writes `docs/tables.md` of it.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from api.store.schema import Feature, Page, Schema, Show, Target

Scalar = bool | float | str
Positive = Annotated[float, Meta(gt=0)]

OBJECTIVES = {
    "number": (
        "reg:squarederror",
        "reg:absoluteerror",
        "reg:pseudohubererror",
        "reg:gamma",
        "reg:tweedie",
        "count:poisson",
    ),
    "boolean": ("binary:logistic",),
    "category": ("multi:softprob",),
}
"""What can be trained for each kind of target; the first is the default."""


SPACE: dict[str, tuple[int | float | str, ...]] = {
    "n_estimators": (100, 200, 400),
    "max_depth": (2, 3, 4, 6, 8),
    "learning_rate": (0.01, 0.03, 0.1, 0.2),
    "subsample": (0.6, 0.8, 1.0),
    "colsample_bytree": (0.5, 0.75, 1.0),
}
"""What is searched where a description does not say."""


def says(text: str, **rules: Any) -> Meta:
    """What a key means, for the reference, and the rules of its value."""
    return Meta(description=text, **rules)


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a description: a key that it does not have is a mistake."""


class FeatureSays(Part, frozen=True, forbid_unknown_fields=True):
    """One column that a prediction is made from: `[features.NAME]`, in the order that requests and the model have."""

    kind: Annotated[
        Literal["number", "integer", "boolean", "category"],
        says("What its values are: any number, a whole number, yes or no, or one of a closed list."),
    ] = "number"
    title: Annotated[str, says("For people; the column's name where it is not given.")] = ""
    description: Annotated[str, says("A sentence on what it is.")] = ""
    unit: Annotated[str, says("What a number counts.")] = ""
    low: Annotated[float | None, says("Lowest value that is accepted, in training and in requests.")] = None
    high: Annotated[float | None, says("Highest value that is accepted.")] = None
    reason: Annotated[str, says("Why these are its bounds.")] = ""
    missing: Annotated[bool, says("Whether a value may be missing.")] = False
    categories: Annotated[tuple[str, ...], says("The values of a category, in a fixed order.")] = ()
    example: Annotated[Scalar | None, says("A value for the documents and the page.")] = None


class TargetSays(Part, frozen=True, forbid_unknown_fields=True):
    """What is predicted."""

    column: Annotated[str, says("The column's name.", min_length=1)]
    kind: Annotated[
        Literal["number", "boolean", "category"],
        says("A number, yes or no, or one of several classes."),
    ] = "number"
    title: Annotated[str, says("For people; the column's name where it is not given.")] = ""
    short: Annotated[str, says("A shorter title, for summaries.")] = ""
    answer: Annotated[
        str,
        says(
            "Name of the answer's field that holds a predicted number.",
            pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$",
            extra={"words": "at most 64 letters, digits and underscores, no digit first"},
        ),
    ] = "prediction"
    unit: Annotated[str, says("What a number counts.")] = ""
    basis: Annotated[str, says("What the unit refers to, such as `of 1990`.")] = ""
    low: Annotated[float | None, says("Lowest true value there can be; no interval begins below.")] = None
    high: Annotated[float | None, says("Highest true value there can be; no interval ends above.")] = None
    reason: Annotated[str, says("Why these are its bounds.")] = ""
    classes: Annotated[tuple[str, ...], says("The classes; of yes or no the negative one first.")] = ()
    show: Annotated[Show | None, says("How a person reads the number: `prefix`, `suffix`, `factor`, `digits`.")] = None


class CleaningRule(Part, frozen=True, forbid_unknown_fields=True):
    """Rows that no model should learn from: `[[cleaning]]`, applied one after another to the training rows."""

    name: Annotated[
        str,
        says(
            "In the log and the model card.",
            pattern=r"^[a-z][a-z0-9_]{0,63}$",
            extra={"words": "at most 64 small letters, digits and underscores, a letter first"},
        ),
    ]
    drop: Annotated[
        str, says("Drops a row where this holds: an expression of pandas' `query`, odd column names in backticks.")
    ]
    reason: Annotated[str, says("Why such rows teach nothing.", min_length=1)]


class SplitSays(Part, frozen=True, forbid_unknown_fields=True):
    """Which rows are held out to judge the model on."""

    by: Annotated[
        Literal["random", "group", "time"],
        says("At random; whole groups of rows that belong together; or the last rows in time."),
    ] = "random"
    column: Annotated[str, says("The column that groups or orders the rows. It need not be a feature.")] = ""
    held_out: Annotated[float, says("The share of the rows.", ge=0.05, le=0.5)] = 0.2


class GroupsSays(Part, frozen=True, forbid_unknown_fields=True):
    """A second cross-validation, over whole groups: what to expect of rows unlike those that were seen."""

    columns: Annotated[tuple[str, ...], says("Rows are of one group where these agree.", min_length=1)]
    width: Annotated[Positive | None, says("Numbers agree where they lie in one step of this width.")] = None
    name: Annotated[str, says("What a group is, for the model card.")] = "groups"
    reason: Annotated[str, says("Why random folds flatter the model.")] = ""


class SearchSays(Part, frozen=True, forbid_unknown_fields=True):
    """What is tried to find the best model."""

    objective: Annotated[str, says("XGBoost's; it follows from the target's kind where it is not given.")] = ""
    candidates: Annotated[int, says("Combinations to try.", ge=1, le=10_000)] = 20
    folds: Annotated[int, says("Cross-validation folds for each.", ge=2, le=20)] = 5
    space: Annotated[
        dict[str, tuple[int | float | str, ...]],
        says("Values of XGBoost's parameters to choose from."),
    ] = msgspec.field(default_factory=lambda: dict(SPACE))


class CardSays(Part, frozen=True, forbid_unknown_fields=True):
    """What the model card says besides figures."""

    use: Annotated[str, says("What the model is meant for.")] = ""
    misuse: Annotated[str, says("What it is not meant for.")] = ""
    limits: Annotated[tuple[str, ...], says("What to know before trusting it, a sentence each.")] = ()


class Table(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The description of a table."""

    name: Annotated[
        str,
        says(
            "Of the registered model, and of its place in a store.",
            pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
            extra={"words": "at most 63 small letters, digits and hyphens, no hyphen first"},
        ),
    ]
    title: Annotated[str, says("What people call the table.")] = ""
    description: Annotated[str, says("A sentence: what is predicted of what.")] = ""
    row: Annotated[str, says("What one row is, in a word or two.")] = "row"
    rows: Annotated[str, says("Several of them; with an `s` where it is not given.")] = ""
    row_description: Annotated[str, says("A sentence on what one row is.")] = ""
    source: Annotated[str, says("Where the rows come from, for the model card.")] = ""
    target: Annotated[TargetSays, says("What is predicted, see below.")]
    features: Annotated[dict[str, FeatureSays], says("The columns.", min_length=1)]
    cleaning: Annotated[tuple[CleaningRule, ...], says("Rows that are not learned from, see below.")] = ()
    split: Annotated[SplitSays, says("Which rows are held out; a fifth at random.")] = SplitSays()
    groups: Annotated[GroupsSays | None, says("A second cross-validation, over whole groups.")] = None
    search: Annotated[SearchSays, says("Objective, and what is tried.")] = SearchSays()
    card: Annotated[CardSays, says("Words of the model card.")] = CardSays()
    page: Annotated[Page, says("Words of the page to try the model, and a map.")] = Page()

    @property
    def objective(self) -> str:
        """XGBoost's objective."""
        return self.search.objective or OBJECTIVES[self.target.kind][0]

    @property
    def columns(self) -> tuple[str, ...]:
        """Everything that is read of a file: features, target, and what the rows are split or grouped by."""
        beside = [self.split.column] if self.split.column else []
        groups = self.groups.columns if self.groups else ()
        return tuple(dict.fromkeys([*self.features, self.target.column, *beside, *groups]))

    def schema(self) -> Schema:
        """What travels with the model."""
        says = self.target
        return Schema(
            name=self.name,
            title=self.title,
            description=self.description,
            row=self.row,
            rows=self.rows,
            row_description=self.row_description,
            features=tuple(
                Feature(name=name, **msgspec.structs.asdict(feature)) for name, feature in self.features.items()
            ),
            target=Target(
                name=says.column,
                kind=says.kind,
                answer=says.answer,
                title=says.title,
                short=says.short,
                unit=says.unit,
                basis=says.basis,
                classes=says.classes or (("no", "yes") if says.kind == "boolean" else ()),
                low=says.low,
                high=says.high,
                show=says.show,
            ),
            page=self.page,
        )
