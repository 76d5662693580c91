"""Every field of the model files that XGBoost writes, from 1.7 to 3.4, and what it means here.

A list of what is known, not of what is refused: a field that is not named here refuses the file by its name, since what
a later XGBoost adds may change the meaning of the rest, as the weights of dropout did twice. Fields marked "training's"
change no prediction; they may hold anything of their type.
"""

import functools
import typing
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET, Meta, UnsetType

Count = Annotated[str, Meta(pattern=r"^[0-9]{1,9}\Z")]
"""A whole number; XGBoost writes its parameters as text."""

Number = Annotated[str, Meta(pattern=r"^-?[0-9]{1,40}(\.[0-9]{1,40})?(e[-+]?[0-9]{1,3})?\Z")]

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class TreeParam(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tree's sizes."""

    num_nodes: Count
    num_deleted: Count
    num_feature: Count
    size_leaf_vector: Count
    """Numbers in a leaf: 0 (XGBoost 1.7) and 1 both mean one."""


class Tree(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tree: lists with one value per node, the root first, and of its splits on categories."""

    id: int
    tree_param: TreeParam
    left_children: Integers
    """-1: a leaf."""
    right_children: Integers
    """Always the left child's neighbour: XGBoost itself looks at the left one only."""
    parents: Integers
    split_indices: Integers
    """The feature that a split asks about."""
    split_conditions: Floats
    """A split's threshold: a smaller value goes left. A leaf's value."""
    split_type: Bytes
    """1: a split on categories, which has no threshold."""
    default_left: Bytes
    """Where a missing value goes."""
    categories_nodes: Integers
    """The nodes that split on categories, in order."""
    categories_segments: Places
    categories_sizes: Places
    """Where in `categories` the part of each of these nodes begins, and how long it is."""
    categories: Integers
    """The codes that go right; all others, and those that training never saw, go left."""
    sum_hessian: Floats
    """The weight of the training rows that passed the node."""
    base_weights: Floats
    """Training's: what the node would answer if it were a leaf."""
    loss_changes: Floats
    """Training's: how much a split gained."""


class ModelParam(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The forest's sizes."""

    num_trees: Count
    num_parallel_tree: Count
    """Trees that a round adds for each output."""
    size_leaf_vector: Count = "0"
    """XGBoost 1.7; each tree says it too."""


class Encoding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A feature's categories in the order of their codes: texts, joined, or whole numbers. Empty: a number."""

    values: Any
    offsets: Integers | UnsetType = UNSET
    """Where each text begins in `values`, and where the last one ends."""
    type: int | UnsetType = UNSET
    """What kind of whole number, in XGBoost's own numbering of its JSON's types."""


class Categories(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The features' categories; since XGBoost 3.1, and empty unless it was trained on a table with category columns."""

    enc: list[Encoding]
    feature_segments: Integers
    """Running sum of the numbers of categories."""
    sorted_idx: Integers
    """For translating the codes of other tables, which nobody sends here."""


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The trees, in the order in which XGBoost adds them up."""

    gbtree_model_param: ModelParam
    trees: list[Tree]
    tree_info: list[int]
    """The output that each tree adds to."""
    iteration_indptr: list[int] | UnsetType = UNSET
    """Where each round's trees begin, and where the last one's end. XGBoost 1.7 leaves it to be reckoned."""
    weight_drop: list[Any] | UnsetType = UNSET
    """Dropout's weight of each tree, since XGBoost 3.4."""
    cats: Categories | UnsetType = UNSET


class GBTree(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="name", tag="gbtree"):
    """Boosted trees."""

    model: Model
    weight_drop: list[Any] | UnsetType = UNSET
    """Dropout's weight of each tree, in XGBoost 3.3."""


class Dart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="name", tag="dart"):
    """Boosted trees trained with dropout, before XGBoost 3.3."""

    gbtree: GBTree
    weight_drop: list[Any]


class LearnerParam(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model's sizes, and where its sums begin."""

    base_score: str
    """`2.0685582E0`; since XGBoost 3.1 one for each output: `[2.0685582E0]`. In the unit of the answer."""
    num_feature: Count
    num_class: Count
    """0 unless the objective is one of several classes."""
    num_target: Count
    boost_from_average: Count
    """Training's: whether it chose the base score."""


class Objective(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was trained for; all but the name is training's."""

    name: str
    reg_loss_param: dict[Literal["scale_pos_weight"], Number] = {}
    poisson_regression_param: dict[Literal["max_delta_step"], Number] = {}
    tweedie_regression_param: dict[Literal["tweedie_variance_power"], Number] = {}
    pseudo_huber_param: dict[Literal["huber_slope"], Number] = {}
    softmax_multiclass_param: dict[Literal["num_class"], Count] = {}
    """Says what `num_class` says."""


class Learner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model."""

    attributes: dict[str, str]
    """Notes of whoever trained. `best_iteration` counts if a scikit-learn class reads the file, see `rounds.py`."""
    feature_names: list[str]
    feature_types: list[Literal["int", "float", "i", "q", "c"]]
    """`c`: categories, as codes; anything else: numbers."""
    gradient_booster: GBTree | Dart
    learner_model_param: LearnerParam
    objective: Objective


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file."""

    learner: Learner
    version: tuple[int, int, int]


def convert(document: Any, *, lists: bool) -> File:
    """The document as a `File`.

    Args:
        document: as UBJSON or JSON decodes it.
        lists: whether arrays of numbers are lists, as in JSON; in UBJSON they are arrays of the right type.

    Raises:
        msgspec.ValidationError: a field is missing, unknown, or of another type; the message names it.
    """
    return msgspec.convert(document, File, dec_hook=functools.partial(_array, lists=lists))


def _array(kind: Any, values: Any, *, lists: bool) -> npt.NDArray[Any]:
    number = typing.get_args(typing.get_args(kind)[1])[0]
    if lists:
        python = float if number is np.float32 else int
        # As strict as XGBoost: `1` is no float there, and `1.0` and `true` are no whole numbers.
        if isinstance(values, list) and all(type(value) is python for value in values):
            try:
                with np.errstate(over="ignore"):
                    return np.array(values, number)
            except OverflowError as error:
                raise ValueError(f"Expected numbers that fit {number.__name__}") from error
    elif isinstance(values, np.ndarray) and values.dtype.newbyteorder("=") == number:
        return values
    raise ValueError(f"Expected an array of {number.__name__}")
