"""Settings: which model is served."""

import dataclasses
from typing import Annotated

from msgspec import Meta

from api.store.manifest import LATEST, models_prefix

DEFAULT_MODEL = "california-housing"
"""The worked example's; `model_path` alone says which table a stack serves."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """Which model is served."""

    model_bucket: Annotated[
        str,
        Meta(
            description="Bucket that training publishes models to.",
            pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
            extra={"words": "a bucket's name: 3 to 63 small letters, digits, dots and hyphens"},
        ),
    ]
    model_path: Annotated[
        str,
        Meta(
            description="The model's directory in that bucket: `…/latest`, or a version to roll out or back to.",
            pattern=r"^[^/\s]+(/[^/\s]+)+$",
            extra={"words": f"a path without a slash at its ends, such as {models_prefix(DEFAULT_MODEL)}/6"},
        ),
    ] = f"{models_prefix(DEFAULT_MODEL)}/{LATEST}"
    create_model_bucket: Annotated[
        bool,
        Meta(description="Create `model_bucket` in the first deployment. It is never deleted by Pulumi."),
    ] = False
