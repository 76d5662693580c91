"""The price list: AWS's public list prices in one region, without discounts, free tiers and tax."""

import dataclasses
from typing import NamedTuple

REGION = "us-east-1"
LOOKED_UP = "2026-11-26"
"""The day on which the prices were read, in stored copies of other people's pages: AWS's own hold theirs in scripts."""

HOURS = 730
"""Of a month, as AWS's calculator counts."""

GB = 2**30
"""Bytes that AWS bills as one GB: its examples for S3 reckon so."""


class Source(NamedTuple):
    """Where a price stands: AWS's page, below aws.amazon.com, and the page in whose copy it was read."""

    page: str
    read_in: str


@dataclasses.dataclass(frozen=True)
class Price:
    """Dollars for one unit of something."""

    what: str
    dollars: float
    unit: str
    source: Source

    @property
    def monthly(self) -> float:
        """Dollars for having one all month, where it is billed by the hour or by the month."""
        return self.dollars * HOURS if self.unit == "hour" else self.dollars


_EGRESSCOST = "egresscost.com/aws"
_S3_COSTS = "devnotes.tech/understanding-aws-s3-pricing-a-complete-cost-breakdown-with-examples"
_CLOUDWATCH_COSTS = "factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards"
_FARGATE = Source("fargate/pricing", "vantage.sh/blog/fargate-pricing")
_BALANCER = Source("elasticloadbalancing/pricing", "cloud-horizons.com/blog/alb-the-line-item-nobody-watches")
_WAF = Source("waf/pricing", "awsnegotiations.com/waf-pricing-strategy.html")
_VPC = Source("vpc/pricing", _EGRESSCOST)
_ENDPOINTS = Source("privatelink/pricing", _EGRESSCOST)
_TRANSFER = Source("ec2/pricing/on-demand", _EGRESSCOST)
_CLOUDWATCH = Source("cloudwatch/pricing", _CLOUDWATCH_COSTS)
_S3 = Source("s3/pricing", _S3_COSTS)

VCPU = Price("vCPU of a task on Fargate, x86", 0.04048, "hour", _FARGATE)
MEMORY = Price("GB of a task's memory on Fargate, x86", 0.004445, "hour", _FARGATE)
BALANCER = Price("Load balancer (ALB)", 0.0225, "hour", _BALANCER)
CAPACITY_UNIT = Price("Capacity unit of the load balancer (LCU)", 0.008, "hour", _BALANCER)
WEB_ACL = Price("Web ACL", 5.00, "month", _WAF)
WAF_RULE = Price("Rule in a web ACL; a group of AWS's counts as one", 1.00, "month", _WAF)
WAF_REQUESTS = Price("Requests through a web ACL", 0.60, "million", _WAF)
NAT = Price("NAT gateway", 0.045, "hour", _VPC)
NAT_DATA = Price("Data through a NAT gateway", 0.045, "GB", _VPC)
ENDPOINT = Price("Interface endpoint in one zone", 0.01, "hour", _ENDPOINTS)
ENDPOINT_DATA = Price("Data through an interface endpoint", 0.01, "GB", _ENDPOINTS)
ADDRESS = Price("Public IPv4 address", 0.005, "hour", _VPC)
DATA_OUT = Price("Data to the internet, the first 10 TB of a month", 0.09, "GB", _TRANSFER)
DATA_OUT_MORE = Price("Data to the internet, the next 40 TB", 0.085, "GB", Source(_TRANSFER.page, _S3_COSTS))
BETWEEN_ZONES = Price("Data between zones, at each of its two ends", 0.01, "GB", _TRANSFER)
LOGS_WRITTEN = Price("Log lines written to CloudWatch", 0.50, "GB", _CLOUDWATCH)
LOGS_KEPT = Price(
    "Log lines kept there, compressed",
    0.03,
    "GB and month",
    Source(_CLOUDWATCH.page, "bit.kevinslin.com/p/youre-paying-too-much-for-cloudwatch"),
)
METRIC = Price(
    "Metric of one's own, or of Container Insights",
    0.30,
    "month",
    Source(_CLOUDWATCH.page, "signoz.io/guides/cloudwatch-pricing"),
)
ALARM = Price(
    "Metric that an alarm watches",
    0.10,
    "month",
    Source(_CLOUDWATCH.page, "c3x.dev/resources/aws/aws_cloudwatch_metric_alarm"),
)
DASHBOARD = Price("Dashboard", 3.00, "month", _CLOUDWATCH)
S3_KEPT = Price("Objects kept in S3", 0.023, "GB and month", _S3)
S3_PUT = Price("Objects written to S3", 0.005, "thousand", _S3)
IMAGES = Price("GB of images in ECR", 0.10, "month", Source("ecr/pricing", "cloudburn.io/blog/amazon-ecr-pricing"))
ZONE = Price("DNS zone in Route 53", 0.50, "month", Source("route53/pricing", "ns1.com/resources/aws-dns"))
# For who sets `kms_key_arn`; none of the stacks that are priced does.
KEY = Price("Key of one's own in KMS", 1.00, "month", Source("kms/pricing", "aws.amazon.com/kms/pricing"))
KEY_REQUESTS = Price(
    "Requests to KMS", 0.03, "ten thousand", Source("kms/pricing", "wring.co/blog/aws-kms-pricing-guide")
)

LIST = tuple(price for price in globals().values() if isinstance(price, Price))
"""All of them, in this order."""

FIRST_TIER_GB = 10 * 1024


def data_out(gb: float) -> float:
    """Dollars for so many GB to the internet in a month, up to 50 TB."""
    first = min(gb, FIRST_TIER_GB)
    return first * DATA_OUT.dollars + (gb - first) * DATA_OUT_MORE.dollars
