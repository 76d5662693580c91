"""What a stack costs by being there, whether anybody calls or not."""

import dataclasses

from benchmarks.bill import prices, traffic
from benchmarks.bill.deployments import Deployment
from benchmarks.bill.prices import Price

INSIGHTS_METRICS = 25
"""Assumed: 8 of a cluster, 6 of a task definition and 11 of a service."""

MODEL_METRICS = 12
"""What a service sends at `model_metrics: model`."""

IMAGES_GB = 1.0
"""Assumed of the images that the registry keeps."""


@dataclasses.dataclass(frozen=True)
class Standing:
    """So many of something, all month."""

    item: str
    row: str
    """Where a million predictions' bill has it."""
    count: float
    price: Price

    @property
    def monthly(self) -> float:
        """Dollars a month."""
        return self.count * self.price.monthly


def standing(deployment: Deployment, tasks: int) -> list[Standing]:
    """Everything that is billed without a request, while so many tasks run."""
    firewall, zone = deployment.firewall_rules is not None, deployment.config.hosted_zone is not None
    return [
        Standing("vCPUs of tasks", "Tasks on Fargate", tasks * deployment.vcpu, prices.VCPU),
        Standing("GB of their memory", "Tasks on Fargate", tasks * deployment.memory_gb, prices.MEMORY),
        Standing("Load balancer", "Load balancer", 1, prices.BALANCER),
        Standing("Web ACL", "Firewall: web ACL, rules", firewall, prices.WEB_ACL),
        Standing("Its rules", "Firewall: web ACL, rules", deployment.firewall_rules or 0, prices.WAF_RULE),
        Standing("NAT gateways", "NAT gateways or endpoints", deployment.nat_gateways, prices.NAT),
        Standing("Endpoints, in each zone", "NAT gateways or endpoints", deployment.endpoints, prices.ENDPOINT),
        Standing("Public IPv4 addresses", "Public IPv4 addresses", deployment.addresses, prices.ADDRESS),
        Standing("Metrics of the model", "Metrics, alarms, dashboard", MODEL_METRICS, prices.METRIC),
        Standing("Alarm metrics", "Metrics, alarms, dashboard", deployment.alarm_metrics, prices.ALARM),
        Standing(
            "Container Insights' metrics",
            "Metrics, alarms, dashboard",
            INSIGHTS_METRICS * deployment.insights,
            prices.METRIC,
        ),
        Standing("Dashboard", "Metrics, alarms, dashboard", 1, prices.DASHBOARD),
        Standing("GB of log lines with metrics", "Log lines: written", log_gb(deployment, tasks), prices.LOGS_WRITTEN),
        Standing("GB of images in ECR", "Images, DNS zone", IMAGES_GB, prices.IMAGES),
        Standing("DNS zone", "Images, DNS zone", zone, prices.ZONE),
    ]


def log_gb(deployment: Deployment, tasks: int) -> float:
    """GB that a month's lines with metrics have: the tasks' own, and the events of Container Insights."""
    minute = tasks * (traffic.METRICS_LINE_BYTES + traffic.EVENT_BYTES)
    if deployment.insights:
        minute += (2 * tasks + 2) * (traffic.INSIGHTS_EVENT_BYTES + traffic.EVENT_BYTES)
    return minute * 60 * prices.HOURS / prices.GB
