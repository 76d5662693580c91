"""The three stacks that are priced: what the repository's files set, and what of them AWS bills."""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from benchmarks.bill.prices import REGION
from stack.settings.config import PROJECT, Config, settings
from stack.settings.values import convert

ROOT = Path(__file__).parents[2]

NAMED = {"domain_name": "api.example.com", "hosted_zone": "example.com"}
"""What README has a production stack set."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deployment:
    """A stack with its settings, and how many there are of what is billed."""

    name: str
    config: Config

    @property
    def vcpu(self) -> float:
        """Of one task."""
        return self.config.cpu / 1024

    @property
    def memory_gb(self) -> float:
        """Of one task."""
        return self.config.memory / 1024

    def tasks(self, per_second: float) -> int:
        """How many tasks scaling makes of this load; `max_tasks` is taken to allow them."""
        return max(self.config.min_tasks, math.ceil(per_second * 60 / self.config.requests_per_task))

    @property
    def zones(self) -> int:
        """Availability zones."""
        if self.config.private_subnet_ids:
            return len(self.config.private_subnet_ids)
        zones = self.config.availability_zones
        return zones if isinstance(zones, int) else len(zones)

    @property
    def nat_gateways(self) -> int:
        """NAT gateways of the stack's own network."""
        return 0 if self.config.vpc_id else {"single": 1, "per_az": self.zones, "none": 0}[self.config.nat]

    @property
    def endpoints(self) -> int:
        """Interface endpoints that the stack makes (two of ECR, the logs', the secrets'), each once in each zone."""
        made = self.config.nat == "none" and self.config.endpoints == "create"
        return (3 + bool(self.config.api_keys_secret)) * self.zones if made else 0

    @property
    def addresses(self) -> int:
        """Public addresses: the load balancer's, one in each zone, and each NAT gateway's."""
        return self.nat_gateways + (0 if self.config.internal else self.zones)

    @property
    def firewall_rules(self) -> int | None:
        """Rules of the web ACL, or none if there is no firewall."""
        if not self.config.has_firewall:
            return None
        return 4 + bool(self.config.allowed_countries) + bool(self.config.firewall_cidrs)

    @property
    def alarm_metrics(self) -> int:
        """Metrics that alarms watch: the stack's, and one for each of the four alarms that scaling makes of two."""
        errors, latency, unhealthy, cpu = 3, 2, 1, 1
        tasks = 1 if self.config.container_insights == "disabled" else 2
        refused, of_the_model = 2, 3 * self.watched
        return errors + latency + unhealthy + cpu + tasks + refused + of_the_model + 4

    @property
    def watched(self) -> bool:
        """Whether the tasks tell CloudWatch of their model."""
        return self.config.model_metrics != "none"

    @property
    def insights(self) -> bool:
        """Whether Container Insights are on."""
        return self.config.container_insights != "disabled"


def deployment(name: str, file: str, changed: Mapping[str, str]) -> Deployment:
    """A stack with the settings of `Pulumi.{file}.yaml`, and those that are `changed` on top."""
    given: dict[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{file}.yaml").read_text())["config"]
    prefix = f"{PROJECT}:"
    own = {key.removeprefix(prefix): str(text) for key, text in given.items() if key.startswith(prefix)}
    kinds = settings()
    values = {key: convert(text, kinds[key]) for key, text in (own | dict(changed)).items()}
    config = Config(stack=file, region=REGION, **{"model_bucket": "models", **values})
    return Deployment(name=name, config=config)


DEPLOYMENTS = (
    deployment("dev", "dev", {}),
    deployment("prod", "prod", NAMED),
    deployment("internal", "prod", {**NAMED, "nat": "none", "internal": "true"}),
)
"""dev and prod as README deploys them, and prod for callers within the network: no firewall, no way out, endpoints."""
