"""What a million predictions cost, one row each, at a steady rate: all that stands meanwhile, and all that they use."""

from typing import Literal

from benchmarks.bill import prices, traffic
from benchmarks.bill.deployments import Deployment
from benchmarks.bill.rest import standing

MILLION = 1_000_000

LogRequests = Literal["all", "errors"]

ROWS = (
    "Tasks on Fargate",
    "Load balancer",
    "Load balancer: capacity units",
    "Firewall: web ACL, rules",
    "Firewall: requests",
    "NAT gateways or endpoints",
    "NAT gateways or endpoints: data",
    "Public IPv4 addresses",
    "Data to the internet, or between zones",
    "Log lines: written",
    "Log lines: kept",
    "Load balancer's log in S3",
    "Metrics, alarms, dashboard",
    "Images, DNS zone",
)


def million(deployment: Deployment, per_second: float, *, log_requests: LogRequests = "errors") -> dict[str, float]:
    """Dollars for a million predictions at so many a second, by row."""
    months = MILLION / per_second / 3600 / prices.HOURS
    bill = dict.fromkeys(ROWS, 0.0)
    for item in standing(deployment, deployment.tasks(per_second)):
        bill[item.row] += item.monthly * months
    for row, dollars in used(deployment, per_second, log_requests).items():
        bill[row] += dollars
    return bill


def used(deployment: Deployment, per_second: float, log_requests: LogRequests) -> dict[str, float]:
    """Dollars for what a million predictions use, without what stands anyway."""
    hours = MILLION / per_second / 3600
    months_kept = deployment.config.log_retention_days * 24 / prices.HOURS
    lines = MILLION * (traffic.LINES_AT_ERRORS if log_requests == "errors" else 1)
    logged = lines * (traffic.LINE_BYTES + traffic.EVENT_BYTES) / prices.GB
    way_out = prices.NAT_DATA if deployment.nat_gateways else prices.ENDPOINT_DATA
    files = traffic.ACCESS_FILES_PER_HOUR * deployment.zones * hours
    access_log = MILLION * traffic.ACCESS_LINE_BYTES / prices.GB
    return {
        "Load balancer: capacity units": (
            traffic.capacity_units(per_second).billed * hours * prices.CAPACITY_UNIT.dollars
        ),
        "Firewall: requests": 0.0 if deployment.firewall_rules is None else prices.WAF_REQUESTS.dollars,
        "NAT gateways or endpoints: data": logged * way_out.dollars,
        "Data to the internet, or between zones": _data(deployment, per_second),
        "Log lines: written": logged * prices.LOGS_WRITTEN.dollars,
        "Log lines: kept": (lines * traffic.KEPT_LINE_BYTES / prices.GB * months_kept * prices.LOGS_KEPT.dollars),
        "Load balancer's log in S3": (
            access_log * months_kept * prices.S3_KEPT.dollars + files / 1000 * prices.S3_PUT.dollars
        ),
    }


def _data(deployment: Deployment, per_second: float) -> float:
    """Dollars for the responses of a million on their way out, or for callers in another zone."""
    if deployment.config.internal:
        # Callers reach each zone's end of the load balancer alike; what crosses is billed at both ends.
        crossing = (deployment.zones - 1) / deployment.zones
        both_ways = traffic.REQUEST_BYTES + traffic.PACKET_BYTES + traffic.bytes_out()
        return MILLION * both_ways * crossing / prices.GB * 2 * prices.BETWEEN_ZONES.dollars
    month = per_second * 3600 * prices.HOURS * traffic.bytes_out() / prices.GB
    return prices.data_out(month) / (per_second * 3600 * prices.HOURS) * MILLION
