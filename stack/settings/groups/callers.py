"""Settings: who may call, under which name, and what the firewall stops."""

import dataclasses
from typing import Annotated

from msgspec import Meta

from stack.settings.kinds import NETWORKS, SECURITY_GROUPS, CertificateArn, SecurityGroupIds


@dataclasses.dataclass(frozen=True, kw_only=True)
class CallerSettings:
    """Who may call, under which name, and what the firewall stops."""

    internal: Annotated[
        bool,
        Meta(
            description="The load balancer stands in the private subnets, for callers in the network, peered or by VPN."
        ),
    ] = False
    allowed_cidrs: Annotated[
        tuple[str, ...] | None,
        Meta(
            description="IPv4 networks that reach the load balancer; the security group holds the rest off. Unset: "
            "everybody, or if it is `internal` the network's own addresses, unless `allowed_security_groups` are set.",
            extra={"words": NETWORKS},
        ),
    ] = None
    allowed_security_groups: Annotated[
        SecurityGroupIds,
        Meta(
            description="Security groups whose members reach the `internal` load balancer in `vpc_id`.",
            extra={"words": SECURITY_GROUPS},
        ),
    ] = ()
    domain_name: Annotated[str | None, Meta(description="Serve HTTPS under this name.")] = None
    hosted_zone: Annotated[
        str | None,
        Meta(
            description="Route 53 public zone of `domain_name`, by name or id: gets the DNS record and proves the "
            "certificate. With `internal`, `vpc_id` and `certificate_arn` a private zone of that network will do."
        ),
    ] = None
    certificate_arn: Annotated[
        CertificateArn | None,
        Meta(description="An ACM certificate for `domain_name`, instead of a new one."),
    ] = None

    firewall: Annotated[
        bool | None,
        Meta(description="A web application firewall before the load balancer. Unset: unless that is `internal`."),
    ] = None
    requests_per_ip: Annotated[
        int,
        Meta(
            description="The firewall blocks an address that sends more requests in five minutes. The default, 1,000 a "
            "second, is two thirds of what one task of the default size is scaled for: nobody fills the service alone.",
            ge=10,
            le=2_000_000_000,
        ),
    ] = 300_000
    unlimited_cidrs: Annotated[
        tuple[str, ...],
        Meta(
            description="IPv4 networks that `requests_per_ip` does not count, up to 10,000 of them: backends that you "
            "know. All other rules hold for them.",
            extra={"words": NETWORKS},
        ),
    ] = ()
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
