"""Settings: how many tasks run."""

import dataclasses
from typing import Annotated

from msgspec import Meta

from stack.settings import capacity
from stack.settings.kinds import RequestsTarget, ScheduledCapacity


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScalingSettings:
    """How many tasks run."""

    desired_count: Annotated[int, Meta(description="Tasks at creation; afterwards scaling decides.", ge=1)] = 2
    min_tasks: Annotated[
        int, Meta(description="Scaling never goes below; with a `schedule`, until its first entry.", ge=1)
    ] = 2
    max_tasks: Annotated[
        int, Meta(description="Scaling never goes above; with a `schedule`, until its first entry.", ge=1, le=5000)
    ] = 6
    cpu_target: Annotated[int, Meta(description="Scaling aims at this average CPU use, in percent.", ge=10, le=90)] = 60
    requests_target: Annotated[
        RequestsTarget | None,
        Meta(
            description="Scaling aims at this many requests per task and minute. If unset, at "
            f"{capacity.ROOM:.0%} of what such a task was measured to answer, one row each: "
            f"{capacity.requests_per_minute(256):,} with `cpu` 256, {capacity.requests_per_minute(512):,} with 512, "
            f"{capacity.requests_per_minute(1024):,} with 1024 and with more, since a task uses one core. Batches, and "
            "a wider model, take longer: there `cpu_target` acts first."
        ),
    ] = None
    scale_out_cooldown: Annotated[int, Meta(description="Seconds between two steps up.", ge=0)] = 60
    scale_in_cooldown: Annotated[int, Meta(description="Seconds between two steps down.", ge=0)] = 300
    schedule: Annotated[
        tuple[ScheduledCapacity, ...],
        Meta(
            description="Changes of the minimum and maximum by the clock: a list of "
            "`{name, schedule, min_tasks, max_tasks, timezone}`, such as "
            '`[{"name": "night", "schedule": "cron(0 20 * * ? *)", "min_tasks": 1, "max_tasks": 2}, '
            '{"name": "day", "schedule": "cron(0 6 * * ? *)", "min_tasks": 2, "max_tasks": 6}]`. '
            "Each holds until the next one.",
            extra={
                "words": "a list in JSON, such as "
                '[{"name": "night", "schedule": "cron(0 20 * * ? *)", "min_tasks": 1, "max_tasks": 2}]'
            },
        ),
    ] = ()
    spot_percent: Annotated[
        int,
        Meta(description="Share of the tasks on Fargate Spot, beyond a first one that never is.", ge=0, le=100),
    ] = 0
