"""What one stack deploys: the settings of all groups, and what follows from them."""

import dataclasses
import functools
import hashlib
import re
import typing
from collections.abc import Sequence
from typing import Annotated, Any

import boto3

from stack.settings import capacity
from stack.settings.account import Account
from stack.settings.groups.account import AccountSettings
from stack.settings.groups.callers import CallerSettings
from stack.settings.groups.deployment import DeploymentSettings
from stack.settings.groups.model import ModelSettings
from stack.settings.groups.network import NetworkSettings
from stack.settings.groups.scaling import ScalingSettings
from stack.settings.groups.scoring import ScoringSettings
from stack.settings.groups.tasks import TaskSettings
from stack.settings.groups.watching import WatchingSettings

PROJECT = "california-housing-api"

LONGEST_PREFIX = 21
"""So much of `name` and the stack's name fits: a target group's has 32 characters, with `-g` and 8 of Pulumi's."""

ZONE_ID = re.compile(r"^[A-Z0-9]+$")
"""An id of Route 53, which no name of a zone looks like."""

DNS_SUFFIXES = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}
"""What the names of another partition's services end in."""

FEWEST_IN_SHARE = 5
"""Requests a minute that a canary must get before its alarms judge it."""


# The last base's fields come first, here and in the tables of docs/configuration.md.
@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(
    AccountSettings,
    WatchingSettings,
    CallerSettings,
    NetworkSettings,
    DeploymentSettings,
    ScoringSettings,
    ScalingSettings,
    TaskSettings,
    ModelSettings,
):
    """What one stack deploys. `stack.settings.loading.load` makes a checked one of the stack's configuration."""

    stack: str
    region: str
    account: Account = dataclasses.field(default_factory=Account)

    @property
    def prefix(self) -> str:
        """`name` and the stack's, the stack's alone: what does not fit is cut, and a hash tells the rest apart."""
        stack = re.sub(r"[^a-z0-9]+", "-", self.stack.lower()).strip("-")
        longest = LONGEST_PREFIX - len(f"{self.name}-")
        if stack != self.stack or len(stack) > longest:
            digest = hashlib.sha256(self.stack.encode()).hexdigest()[:4]
            stack = f"{stack[: longest - 5].strip('-')}-{digest}".strip("-")
        return f"{self.name}-{stack}"

    @property
    def partition(self) -> str:
        """The region's partition, as the second part of an ARN spells it."""
        return _partition(self.region)

    @property
    def dns_suffix(self) -> str:
        """What the names of the partition's services end in."""
        return DNS_SUFFIXES.get(self.partition, "amazonaws.com")

    @property
    def models_prefix(self) -> str:
        """Where all versions of the model lie: the task may read below it, whichever version is deployed."""
        return self.model_path.rpartition("/")[0]

    @property
    def requests_per_task(self) -> int:
        """Requests per task and minute that scaling aims at."""
        return capacity.requests_per_minute(self.cpu) if self.requests_target is None else self.requests_target

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
    def has_firewall(self) -> bool:
        """Whether a web application firewall stands before the load balancer."""
        return not self.internal if self.firewall is None else self.firewall

    def callers(self, own: Sequence[str]) -> Sequence[str]:
        """The networks that reach the load balancer, in a network whose own addresses are `own`."""
        if self.allowed_cidrs is not None:
            return self.allowed_cidrs
        if self.allowed_security_groups:
            return ()
        return own if self.internal else ("0.0.0.0/0",)

    @property
    def https(self) -> bool:
        """Whether there is a name to serve HTTPS under."""
        return self.domain_name is not None


@functools.cache
def _partition(region: str) -> str:
    # botocore reads its list of all endpoints for it, a tenth of a second.
    return boto3.Session().get_partition_for_region(region)


def settings() -> dict[str, Any]:
    """The type of each setting by its key, `Annotated` with a `msgspec.Meta` that describes it."""
    hints = typing.get_type_hints(Config, include_extras=True)
    return {key: hint for key, hint in hints.items() if typing.get_origin(hint) is Annotated}
