"""What AWS says of the network that `vpc_id` names: plain data, looked up before anything is created."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stack.settings.config import PROJECT, Config
from stack.settings.loading import ConfigError

HTTPS = 443
GONE = {"deleting", "deleted", "rejected", "failed", "expired"}
"""States of endpoints that are listed for a while, but lead nowhere any more."""


@dataclasses.dataclass(frozen=True)
class Route:
    """Where a route table sends a network's packets."""

    destination: str
    target: str
    works: bool


@dataclasses.dataclass(frozen=True)
class Subnet:
    """A subnet and the routes that hold for it."""

    id: str
    zone: str
    cidr: str
    """Empty where it has IPv6 addresses only."""
    free: int
    """Addresses that nobody has."""
    table: str
    """Its own route table, or else the network's main one."""
    has_balancer: bool
    """Whether the stack's load balancer is there already, and has its addresses."""


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A private endpoint that the stack did not make."""

    id: str
    service: str
    """AWS's name, such as `com.amazonaws.us-east-1.ecr.api`."""
    works: bool
    private_dns: bool
    tables: tuple[str, ...]
    """A gateway's: the route tables that lead to it."""
    groups: tuple[str, ...]
    """An interface's: its security groups."""


@dataclasses.dataclass(frozen=True)
class FoundNetwork:
    """What AWS says of a network."""

    id: str
    cidrs: tuple[str, ...]
    names: bool
    """Whether it resolves private names: its DNS support and DNS host names are both on."""
    subnets: Mapping[str, Subnet]
    routes: Mapping[str, tuple[Route, ...]]
    """By route table."""
    endpoints: tuple[Endpoint, ...]
    groups: Mapping[str, tuple[str, ...]]
    """By the ids of security groups that the settings or endpoints name: the networks that reach HTTPS there."""


def look_up(config: Config, vpc_id: str) -> FoundNetwork:
    """Read what there is to know of the network `vpc_id` for the stack of `config`.

    Raises:
        ConfigError: there is no such network, or AWS does not answer.
    """
    try:
        return _look_up(config.account.client("ec2", config.region), config, vpc_id)
    except (BotoCoreError, ClientError) as error:
        raise ConfigError(f"vpc_id = {vpc_id!r}: cannot be looked up: {error}") from error


def _look_up(ec2: Any, config: Config, vpc_id: str) -> FoundNetwork:
    vpcs = {vpc["VpcId"]: vpc for vpc in _pages(ec2, "describe_vpcs", "Vpcs")}
    if vpc_id not in vpcs:
        others = ", ".join(sorted(vpcs)) or "none"
        raise ConfigError(f"vpc_id = {vpc_id!r}: there is no such network in {config.region}; there are {others}")
    blocks = vpcs[vpc_id]["CidrBlockAssociationSet"]
    inside = {"vpc-id": [vpc_id]}
    support = ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsSupport")["EnableDnsSupport"]
    hostnames = ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsHostnames")["EnableDnsHostnames"]
    tables = list(_pages(ec2, "describe_route_tables", "RouteTables", inside))
    endpoints = tuple(
        _endpoint(endpoint)
        for endpoint in _pages(ec2, "describe_vpc_endpoints", "VpcEndpoints", inside)
        if endpoint["State"].lower() not in GONE and not _own(config, endpoint)
    )
    named = [*config.allowed_security_groups, *(group for endpoint in endpoints for group in endpoint.groups)]
    # An empty filter finds everything.
    groups = _pages(ec2, "describe_security_groups", "SecurityGroups", {"group-id": named}) if named else ()
    return FoundNetwork(
        id=vpc_id,
        cidrs=tuple(block["CidrBlock"] for block in blocks if block["CidrBlockState"]["State"] == "associated"),
        names=support["Value"] and hostnames["Value"],
        subnets=_subnets(ec2, config, inside, tables),
        routes={table["RouteTableId"]: tuple(map(_route, table["Routes"])) for table in tables},
        endpoints=endpoints,
        groups={group["GroupId"]: tuple(_https_from(group)) for group in groups},
    )


def _pages(ec2: Any, operation: str, key: str, filters: Mapping[str, list[str]] | None = None) -> Iterator[Any]:
    """Everything that a list of EC2's holds, page by page."""
    given = [{"Name": name, "Values": values} for name, values in (filters or {}).items()]
    for page in ec2.get_paginator(operation).paginate(Filters=given):
        yield from page[key]


def _subnets(ec2: Any, config: Config, inside: dict[str, list[str]], tables: list[Any]) -> dict[str, Subnet]:
    explicit: dict[str, str] = {}
    main = ""
    for table in tables:
        for association in table["Associations"]:
            if association.get("Main"):
                main = table["RouteTableId"]
            elif "SubnetId" in association:
                explicit[association["SubnetId"]] = table["RouteTableId"]
    # A load balancer's interfaces are described so.
    own = {**inside, "description": [f"ELB app/{config.prefix}-???????/*"]}
    held = {interface["SubnetId"] for interface in _pages(ec2, "describe_network_interfaces", "NetworkInterfaces", own)}
    return {
        subnet["SubnetId"]: Subnet(
            id=subnet["SubnetId"],
            zone=subnet["AvailabilityZone"],
            cidr=subnet.get("CidrBlock") or "",
            free=subnet["AvailableIpAddressCount"],
            table=explicit.get(subnet["SubnetId"], main),
            has_balancer=subnet["SubnetId"] in held,
        )
        for subnet in _pages(ec2, "describe_subnets", "Subnets", inside)
    }


def _route(route: dict[str, Any]) -> Route:
    targets = ("GatewayId", "NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "VpcPeeringConnectionId")
    return Route(
        destination=route.get("DestinationCidrBlock") or route.get("DestinationPrefixListId") or "",
        target=next((route[key] for key in targets if route.get(key)), "elsewhere"),
        works=route.get("State") != "blackhole",
    )


def _endpoint(endpoint: dict[str, Any]) -> Endpoint:
    return Endpoint(
        id=endpoint["VpcEndpointId"],
        service=endpoint["ServiceName"],
        works=endpoint["State"].lower() == "available",
        private_dns=bool(endpoint.get("PrivateDnsEnabled")),
        tables=tuple(endpoint.get("RouteTableIds") or ()),
        groups=tuple(group["GroupId"] for group in endpoint.get("Groups") or ()),
    )


def _own(config: Config, endpoint: dict[str, Any]) -> bool:
    """Whether the stack made it, by the tags that it puts on everything."""
    tags = {tag["Key"]: tag["Value"] for tag in endpoint.get("Tags") or ()}
    return (tags.get("Project"), tags.get("Stack")) == (PROJECT, config.stack)


def _https_from(group: dict[str, Any]) -> Iterator[str]:
    for permission in group["IpPermissions"]:
        everything = permission["IpProtocol"] == "-1"
        tcp = permission["IpProtocol"] == "tcp"
        if everything or (tcp and permission["FromPort"] <= HTTPS <= permission["ToPort"]):
            yield from (entry["CidrIp"] for entry in permission["IpRanges"])
            # What a prefix list holds, its owner knows.
            yield from ("0.0.0.0/0" for _ in permission.get("PrefixListIds") or ())
