"""Every setting of the deployment: its type, its default and what it means."""

import dataclasses
import hashlib
import re
import typing
from typing import Annotated, Any, Literal

import boto3
from msgspec import Meta

from api.store.manifest import LATEST, models_prefix
from stack.account import Account
from stack.kinds import (
    NETWORKS,
    CanaryMinutes,
    CanaryPercent,
    CertificateArn,
    Email,
    Minutes,
    PolicyArn,
    S3Address,
    ScheduledCapacity,
    SecretArn,
    Zones,
)

PROJECT = "california-housing-api"

DEFAULT_MODEL = "california-housing"
"""The worked example's; `model_path` alone says which table a stack serves."""

LONGEST_NAME = 13
"""So much of a stack's name fits: a target group's has 32 characters, with `housing-`, `-g` and 8 of Pulumi's."""

ZONE_ID = re.compile(r"^[A-Z0-9]+$")
"""An id of Route 53, which no name of a zone looks like."""

FEWEST_IN_SHARE = 5
"""Requests a minute that a canary must get before its alarms judge it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What one stack deploys. `stack.settings.load` makes a checked one of the stack's configuration."""

    stack: str
    region: str
    account: Account = dataclasses.field(default_factory=Account)

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
            extra={"words": "a path without a slash at its ends, such as mlflow/models/california-housing/6"},
        ),
    ] = f"{models_prefix(DEFAULT_MODEL)}/{LATEST}"
    create_model_bucket: Annotated[
        bool,
        Meta(description="Create `model_bucket` in the first deployment. It is never deleted by Pulumi."),
    ] = False
    protected: Annotated[
        bool,
        Meta(
            description="Production: deletion protection on, images and logs kept when the stack is destroyed. "
            "Otherwise `pulumi destroy` leaves nothing but the models."
        ),
    ] = False

    image_uri: Annotated[
        str | None,
        Meta(description="Deploy this image instead of building one (CI, promotion), best by digest: `…@sha256:…`."),
    ] = None
    cpu_architecture: Annotated[
        Literal["X86_64", "ARM64"],
        Meta(description="CPU of the tasks, and the platform that the image is built for."),
    ] = "X86_64"
    cpu: Annotated[int, Meta(description="CPU units of a task; 1024 are one vCPU.")] = 256
    memory: Annotated[
        int, Meta(description="Memory of a task in MiB; Fargate fixes which sizes go with which CPU.")
    ] = 512
    start_seconds: Annotated[
        int,
        Meta(description="Seconds a task may take to load its model before it gives up.", ge=10, le=300),
    ] = 60
    docs: Annotated[bool, Meta(description="Serve `/docs`, the OpenAPI document and the page at `/`.")] = False
    api_keys_secret: Annotated[
        SecretArn | None,
        Meta(description="ARN of a Secrets Manager secret: the keys that callers must send. Without, all may call."),
    ] = None

    desired_count: Annotated[int, Meta(description="Tasks at creation; afterwards scaling decides.", ge=1)] = 2
    min_tasks: Annotated[
        int, Meta(description="Scaling never goes below; with a `schedule`, until its first entry.", ge=1)
    ] = 2
    max_tasks: Annotated[
        int, Meta(description="Scaling never goes above; with a `schedule`, until its first entry.", ge=1, le=5000)
    ] = 6
    cpu_target: Annotated[int, Meta(description="Scaling aims at this average CPU use, in percent.", ge=10, le=90)] = 60
    requests_target: Annotated[
        int,
        Meta(description="Scaling aims at this many requests per task and minute.", ge=1),
    ] = 6000
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

    score_data: Annotated[
        S3Address | None,
        Meta(
            description="A table for the model to score as a task of its own: a folder, `s3://BUCKET/PREFIX`, or a "
            "pattern, `s3://BUCKET/PREFIX/*.parquet`. Without, there is no such task."
        ),
    ] = None
    score_out: Annotated[
        S3Address | None,
        Meta(description="Where its scores go, `s3://BUCKET/PREFIX`: each version of the model has a folder below."),
    ] = None
    score_schedule: Annotated[
        str | None,
        Meta(description="When the table is scored, in UTC, such as `cron(0 3 * * ? *)`; without, when you say so."),
    ] = None
    score_cpu: Annotated[int, Meta(description="CPU units of the task that scores: a process for each vCPU.")] = 1024
    score_memory: Annotated[int, Meta(description="Its memory in MiB: 512 for each process are plenty.")] = 2048
    score_image_uri: Annotated[
        str | None,
        Meta(description="Its image, built with `SCORING=true`, instead of building one; as `image_uri`."),
    ] = None

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

    vpc_cidr: Annotated[
        str,
        Meta(description="Addresses of the network, /16 to /20; cut into four parts, one per availability zone."),
    ] = "10.0.0.0/16"
    availability_zones: Annotated[
        Annotated[int, Meta(ge=2, le=4)] | Zones,
        Meta(
            description="Number of availability zones, the region's first ones by name, or their names: "
            '`["us-east-1a", "us-east-1c"]`.',
            extra={"words": 'a number from 2 to 4, or so many names, such as ["us-east-1a", "us-east-1c"]'},
        ),
    ] = 2
    nat: Annotated[
        Literal["single", "per_az", "none"],
        Meta(
            description="The tasks' way out: one NAT gateway, one per zone, or none at all, with private endpoints for "
            "the AWS services they need."
        ),
    ] = "single"
    allowed_cidrs: Annotated[
        tuple[str, ...],
        Meta(
            description="IPv4 networks that reach the load balancer; the security group holds the rest off.",
            extra={"words": NETWORKS},
        ),
    ] = ("0.0.0.0/0",)

    domain_name: Annotated[str | None, Meta(description="Serve HTTPS under this name.")] = None
    hosted_zone: Annotated[
        str | None,
        Meta(
            description="Route 53 public zone of `domain_name`, by name or id: gets the DNS record and proves the "
            "certificate."
        ),
    ] = None
    certificate_arn: Annotated[
        CertificateArn | None,
        Meta(description="An ACM certificate for `domain_name`, instead of a new one."),
    ] = None

    requests_per_ip: Annotated[
        int,
        Meta(description="The firewall blocks an address that sends more requests in five minutes.", ge=10),
    ] = 10_000
    allowed_countries: Annotated[
        tuple[Annotated[str, Meta(pattern="^[A-Z]{2}$")], ...],
        Meta(
            description="ISO 3166 codes of the countries that the firewall lets in; empty: all.",
            extra={"words": 'a list of two-letter codes in JSON, such as ["DE", "FR"]'},
        ),
    ] = ()
    firewall_cidrs: Annotated[
        tuple[str, ...],
        Meta(
            description="IPv4 networks that the firewall lets in, up to 10,000 of them; empty: all.",
            extra={"words": NETWORKS},
        ),
    ] = ()

    log_retention_days: Annotated[int, Meta(description="Days that CloudWatch and the log bucket keep logs.")] = 7
    container_insights: Annotated[
        Literal["disabled", "enabled", "enhanced"],
        Meta(description="CloudWatch Container Insights; priced per metric."),
    ] = "disabled"
    alarm_email: Annotated[
        Email | None,
        Meta(description="Address that alarms are mailed to, once it confirmed."),
    ] = None
    permissions_boundary: Annotated[
        PolicyArn | None,
        Meta(description="ARN of the policy that limits every role of the stack, where the account demands one."),
    ] = None

    @property
    def name(self) -> str:
        """Prefix of all names, the stack's alone: a name that does not fit is cut, and a hash tells the rest apart."""
        name = re.sub(r"[^a-z0-9]+", "-", self.stack.lower()).strip("-")
        if name != self.stack or len(name) > LONGEST_NAME:
            digest = hashlib.sha256(self.stack.encode()).hexdigest()[:4]
            name = f"{name[: LONGEST_NAME - 5].strip('-')}-{digest}".strip("-")
        return f"housing-{name}"

    @property
    def partition(self) -> str:
        """The region's partition, as the second part of an ARN spells it."""
        return boto3.Session().get_partition_for_region(self.region)

    @property
    def models_prefix(self) -> str:
        """Where all versions of the model lie: the task may read below it, whichever version is deployed."""
        return self.model_path.rpartition("/")[0]

    @property
    def scoring(self) -> bool:
        """Whether there is a task that scores a table."""
        return self.score_data is not None and self.score_out is not None

    @property
    def canary(self) -> bool:
        """Whether a new revision first gets a share of the traffic."""
        return self.deployment_strategy == "canary"

    @property
    def canary_share(self) -> float:
        """Percent of the traffic that tries a new revision first."""
        return 10.0 if self.canary_percent is None else self.canary_percent

    @property
    def https(self) -> bool:
        """Whether there is a name to serve HTTPS under."""
        return self.domain_name is not None


def settings() -> dict[str, Any]:
    """The type of each setting by its key, `Annotated` with a `msgspec.Meta` that describes it."""
    hints = typing.get_type_hints(Config, include_extras=True)
    return {key: hint for key, hint in hints.items() if typing.get_origin(hint) is Annotated}
