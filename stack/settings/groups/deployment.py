"""Settings: how a new revision takes over."""

import dataclasses
from typing import Annotated, Literal

from msgspec import Meta

from stack.settings.kinds import CanaryMinutes, CanaryPercent, Minutes


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeploymentSettings:
    """How a new revision takes over."""

    deployment_strategy: Annotated[
        Literal["rolling", "canary"],
        Meta(description="How a new revision takes over: task by task, or first with a share of the traffic."),
    ] = "rolling"
    canary_percent: Annotated[
        CanaryPercent | None,
        Meta(description="Canary only: percent of the traffic that tries the new revision first; 10 if unset."),
    ] = None
    canary_minutes: Annotated[
        CanaryMinutes | None,
        Meta(
            description="Canary only: minutes that the share is watched before all traffic moves, at most 120; 10 if "
            "unset."
        ),
    ] = None
    bake_minutes: Annotated[
        Minutes | None,
        Meta(
            description="Canary only: minutes that the old tasks stay, for an instant way back, at most 120; 5 if "
            "unset."
        ),
    ] = None
