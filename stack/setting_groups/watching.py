"""Settings: what is logged and measured, and who is told."""

import dataclasses
from typing import Annotated, Literal

from msgspec import Meta

from stack.kinds import Email


@dataclasses.dataclass(frozen=True, kw_only=True)
class WatchingSettings:
    """What is logged and measured, and who is told."""

    log_requests: Annotated[
        Literal["all", "errors"],
        Meta(
            description="Which requests get a line in the service's log: all, or those that fail or are slow and one "
            "in a hundred of the rest. The load balancer's log has them all."
        ),
    ] = "errors"
    log_retention_days: Annotated[int, Meta(description="Days that CloudWatch and the log bucket keep logs.")] = 7
    container_insights: Annotated[
        Literal["disabled", "enabled", "enhanced"],
        Meta(description="CloudWatch Container Insights; priced per metric."),
    ] = "disabled"
    alarm_email: Annotated[
        Email | None,
        Meta(description="Address that alarms are mailed to, once it confirmed."),
    ] = None
