"""Whether a schema, a manifest, MLflow's signature and the trees speak of the same model."""

from api.errors import ModelRefused
from api.model.soundness import check_schema
from api.store.manifest import PREDICTIONS, Manifest
from api.store.mlmodel import MLMODEL, MLmodel, signature_columns
from api.store.schema import Feature, Schema
from api.trees.walk import Trees

MAX_KNOWN_ANSWERS = 1000
MAX_BINS = 100
"""Of a number's distribution; training makes ten."""
_SHOWN = 12

_COVERED = {
    "number": {"double", "float", "integer", "long"},
    "integer": {"double", "float", "integer", "long"},
    "boolean": {"boolean", "double", "float", "integer", "long"},
    "category": {"string", "integer", "long", "double", "float"},
}


def check_agreement(schema: Schema, trees: Trees, mlmodel: MLmodel) -> None:
    """The model file and MLflow's signature must have the schema's features, in its order, and its target.

    Raises:
        ModelRefused: they do not; the message says what differs.
    """
    names = schema.names
    if trees.n_features != len(names):
        raise ModelRefused(f"the model has {trees.n_features} features; its schema has {len(names)}: {shown(names)}")
    columns = signature_columns(mlmodel)
    for source, found in (
        ("the model file", trees.feature_names),
        (f"{MLMODEL}'s signature", [column.name for column in columns]),
    ):
        if found and tuple(found) != names:
            raise ModelRefused(f"{source} has the features {shown(found)}; the schema has {shown(names)}")
    for column, feature in zip(columns, schema.features, strict=False):
        if column.type not in _COVERED[feature.kind]:
            raise ModelRefused(
                f"{MLMODEL}'s signature gives {column.name!r} the type {column.type!r}; the schema says {feature.kind}"
            )
    for i, feature in enumerate(schema.features):
        _check_kind(feature, trees.feature_types[i] if trees.feature_types else "", known_categories(trees, i))
    _check_target(schema, trees)


def _check_kind(feature: Feature, kind: str, categories: tuple[str, ...]) -> None:
    if kind and (kind == "c") != (feature.kind == "category"):
        raise ModelRefused(f"the schema says that {feature.name!r} is a {feature.kind}; the model file says {kind!r}")
    if categories and categories != feature.categories:
        raise ModelRefused(
            f"the model file has the categories {shown(categories)} for {feature.name!r}; the schema has "
            f"{shown(feature.categories)}"
        )


def _check_target(schema: Schema, trees: Trees) -> None:
    target = schema.target
    if target.kind != trees.objective.kind:
        raise ModelRefused(
            f"the schema says that {target.name!r} is a {target.kind}; the model's objective {trees.objective.name!r} "
            f"predicts a {trees.objective.kind}"
        )
    if not len(target.classes) == len(set(target.classes)) == trees.n_classes:
        raise ModelRefused(f"the schema has the classes {shown(target.classes)}; the model has {trees.n_classes}")


def check_manifest(manifest: Manifest) -> None:
    """What a manifest says must be possible.

    Raises:
        ModelRefused: it is not.
    """
    check_schema(manifest.schema)
    for name, (low, high) in manifest.ranges.items():
        if name not in manifest.schema.names or not low <= high:
            raise ModelRefused(f"the manifest's range of {name} is {low} to {high}, which holds no value of a feature")
    interval = manifest.interval
    if interval is not None:
        sizes = {len(interval.low), len(interval.high), len(interval.edges) + 1}
        if len(sizes) != 1 or sorted(interval.edges) != interval.edges:
            raise ModelRefused("the manifest's interval has not one width below and above for each of its bins")
        if min(*interval.low, *interval.high) < 0:
            raise ModelRefused("the manifest's interval has a negative width")
    threshold = manifest.label_threshold
    if threshold is not None and not 0 <= threshold <= 1:
        raise ModelRefused(f"the manifest's label_threshold is {threshold:g}, which is no probability")
    _check_distribution(manifest)
    _check_known_rows(manifest)


def _check_distribution(manifest: Manifest) -> None:
    schema = manifest.schema
    codes = {feature.name: len(feature.categories) for feature in schema.features if feature.kind == "category"}
    codes |= {feature.name: 2 for feature in schema.features if feature.kind == "boolean"}
    if schema.target.kind == "category":
        codes[PREDICTIONS] = len(schema.target.classes)
    for name, known in manifest.distribution.items():
        if name != PREDICTIONS and name not in schema.names:
            raise ModelRefused(f"the manifest has the distribution of {name!r}, which is no feature")
        bins = codes.get(name, len(known.edges) + 1)
        if len(known.shares) != bins or len(known.edges) != (0 if name in codes else bins - 1):
            raise ModelRefused(f"the manifest's distribution of {name or 'the predictions'!r} has not {bins} bins")
        if len(known.edges) >= MAX_BINS or sorted(known.edges) != known.edges or min(known.shares) < 0:
            raise ModelRefused(
                f"the manifest's distribution of {name or 'the predictions'!r} has more than {MAX_BINS} bins, edges "
                "that do not ascend or a negative share"
            )


def _check_known_rows(manifest: Manifest) -> None:
    known, features = manifest.known_answers, len(manifest.schema.features)
    outputs = len(manifest.schema.target.classes) if manifest.schema.target.kind == "category" else 1
    if (
        not 1 <= len(known.rows) <= MAX_KNOWN_ANSWERS
        or len(known.rows) != len(known.scores)
        or len(known.rows) != len(known.predictions)
        or any(len(row) != features for row in known.rows)
        or any(len(values) != outputs for values in (*known.scores, *known.predictions))
    ):
        raise ModelRefused(
            f"the manifest's known answers are not 1 to {MAX_KNOWN_ANSWERS} rows of {features} numbers, each with "
            f"{outputs} scores and predictions: train and publish again"
        )


def known_categories(trees: Trees, place: int) -> tuple[str, ...]:
    """The categories that the model file names for a feature, as text; none where it names none."""
    return tuple(str(name) for name in trees.categories[place] or ())


def shown(names: tuple[str, ...] | list[str]) -> str:
    """Names in a message: all of a few, the first of many."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{list(names[:_SHOWN])}{more}"
