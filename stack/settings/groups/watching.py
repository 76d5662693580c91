"""Settings: what is logged and measured, and who is told."""

import dataclasses
from typing import Annotated, Literal

from msgspec import Meta

from stack.settings.kinds import Email, SecurityGroupId


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
    model_metrics: Annotated[
        Literal["none", "model", "features"],
        Meta(
            description="What the tasks tell CloudWatch of the model each minute: nothing, a dozen figures of the "
            "whole, such as drift, or also those of the first 20 features; 0.30 USD a figure and month. Two alarms and "
            "the dashboard's last rows are of these."
        ),
    ] = "model"
    capture_percent: Annotated[
        float,
        Meta(
            description="Percent of the prediction requests whose rows and answers are kept in a log of their own, for "
            "`python -m training captured`. They may be people's data.",
            ge=0,
            le=100,
        ),
    ] = 0
    capture_retention_days: Annotated[int, Meta(description="Days that CloudWatch keeps them.")] = 14
    metrics_from_security_group: Annotated[
        SecurityGroupId | None,
        Meta(
            description="Security group of a Prometheus server: it reaches the tasks' `/metrics` at port 9000, which "
            "nobody else does, and which is closed without it. Of this network, or of one that is peered with it."
        ),
    ] = None
    container_insights: Annotated[
        Literal["disabled", "enabled", "enhanced"],
        Meta(description="CloudWatch Container Insights; priced per metric."),
    ] = "disabled"
    alarm_email: Annotated[
        Email | None,
        Meta(description="Address that alarms are mailed to, once it confirmed."),
    ] = None
