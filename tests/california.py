"""What the tests know of the shipped table, which is the default of every command."""

from api.store.manifest import models_prefix
from training.tables.loading import load

TABLE = load().table
SCHEMA = TABLE.schema()
MODEL_NAME = SCHEMA.name
MODELS_PREFIX = models_prefix(MODEL_NAME)
FEATURES = SCHEMA.names
TARGET = SCHEMA.target.name
EXAMPLE: dict[str, float] = {feature.name: float(feature.example or 0) for feature in SCHEMA.features}
"""The first row of the dataset; its true target is 4.526."""
BOUNDS: dict[str, tuple[float, float]] = {
    feature.name: (float(feature.low or 0), float(feature.high or 0)) for feature in SCHEMA.features
}
