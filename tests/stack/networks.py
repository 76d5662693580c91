"""Networks that a platform team has: three in moto's EC2, with ids that are known before they are made."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import boto3

from tests.stack.published import REGION

VPC, CLOSED, TURNED = "vpc-0a000000000000001", "vpc-0c000000000000001", "vpc-0d000000000000001"
"""One with a NAT gateway; one whose private subnets lead nowhere but to private endpoints; one that `turn` makes so."""
PUBLIC = ("subnet-0a0000000000000a1", "subnet-0a0000000000000a2")
OTHER_PUBLIC = ("subnet-0a0000000000000a3", "subnet-0a0000000000000a4")
PRIVATE = ("subnet-0a0000000000000b1", "subnet-0a0000000000000b2")
OTHER_PRIVATE = ("subnet-0a0000000000000b3", "subnet-0a0000000000000b4")
ISOLATED = ("subnet-0a0000000000000c1", "subnet-0a0000000000000c2")
"""Of `VPC`, without a way out, and without endpoints."""
CLOSED_PRIVATE = ("subnet-0c0000000000000b1", "subnet-0c0000000000000b2")
TURNED_PRIVATE = ("subnet-0d0000000000000b1", "subnet-0d0000000000000b2")
CALLERS, ENDPOINTS, TURNED_ENDPOINTS = "sg-0a000000000000001", "sg-0c000000000000001", "sg-0d000000000000001"
"""A security group of callers in `VPC`; those of the private endpoints in the others."""


def make(ec2: Any) -> None:
    """Make all."""
    # moto makes the account's default network when it is first asked, with ids from the same source.
    ec2.describe_vpcs()
    open_network(ec2)
    closed_network(ec2, CLOSED, CLOSED_PRIVATE, ENDPOINTS, "10.30")
    add_endpoints(ec2, CLOSED, CLOSED_PRIVATE, ENDPOINTS)
    closed_network(ec2, TURNED, TURNED_PRIVATE, TURNED_ENDPOINTS, "10.40")


def open_network(ec2: Any) -> None:
    """`VPC`: public, private and isolated subnets in two zones, and a group of callers."""
    subnets = [*PUBLIC, *OTHER_PUBLIC, *PRIVATE, *OTHER_PRIVATE, *ISOLATED]
    with named(vpc=[VPC], subnet=subnets, security_group=["sg-0a0000000000000ff", CALLERS]):
        new_vpc(ec2, "10.20.0.0/16")
        new_subnets(ec2, VPC, "10.20.{}.0/24", len(subnets))
        ec2.create_security_group(GroupName="callers", Description="callers", VpcId=VPC)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=VPC)
    route(ec2, VPC, [*PUBLIC, *OTHER_PUBLIC], GatewayId=gateway)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=PUBLIC[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    route(ec2, VPC, [*PRIVATE, *OTHER_PRIVATE], NatGatewayId=nat)
    route(ec2, VPC, ISOLATED)


def closed_network(ec2: Any, vpc: str, subnets: Sequence[str], group: str, addresses: str) -> None:
    """Private subnets on the main route table, and a security group for endpoints."""
    with named(vpc=[vpc], subnet=subnets, security_group=[f"{vpc.replace('vpc', 'sg')[:-1]}f", group]):
        new_vpc(ec2, f"{addresses}.0.0/16")
        new_subnets(ec2, vpc, f"{addresses}.{{}}.0/24", len(subnets))
        ec2.create_security_group(GroupName="endpoints", Description="endpoints", VpcId=vpc)
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=443, ToPort=443, CidrIp=f"{addresses}.0.0/16"
    )


def add_endpoints(ec2: Any, vpc: str, subnets: Sequence[str], group: str) -> None:
    """Every endpoint that tasks need."""
    for service in ("ecr.api", "ecr.dkr", "logs"):
        interface_endpoint(ec2, vpc, service, subnets, group)
    gateway_endpoint(ec2, vpc, [main_table(ec2, vpc)])


def turn(ec2: Any, *, present: bool) -> None:
    """Let `TURNED` have endpoints, or none."""
    endpoints = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [TURNED]}])["VpcEndpoints"]
    there = [endpoint["VpcEndpointId"] for endpoint in endpoints if endpoint["State"] == "available"]
    if there and not present:
        ec2.delete_vpc_endpoints(VpcEndpointIds=there)
    if present and not there:
        add_endpoints(ec2, TURNED, TURNED_PRIVATE, TURNED_ENDPOINTS)


@contextmanager
def named(*, vpc: Sequence[str] = (), subnet: Sequence[str] = (), security_group: Sequence[str] = ()) -> Iterator[None]:
    """Let moto give these ids instead of random ones."""
    with (
        mock.patch("moto.ec2.models.vpcs.random_vpc_id", side_effect=vpc),
        mock.patch("moto.ec2.models.subnets.random_subnet_id", side_effect=subnet),
        mock.patch("moto.ec2.models.security_groups.random_security_group_id", side_effect=security_group),
    ):
        yield


def new_vpc(ec2: Any, cidr: str) -> str:
    """A network with DNS names, as private endpoints want it."""
    id_: str = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=id_, EnableDnsHostnames={"Value": True})
    return id_


def new_subnets(ec2: Any, vpc: str, cidr: str, number: int) -> list[str]:
    """Subnets of these many networks, in the region's first two zones by turns."""
    zones = itertools.cycle([f"{REGION}a", f"{REGION}b"])
    return [
        ec2.create_subnet(VpcId=vpc, CidrBlock=cidr.format(place), AvailabilityZone=next(zones))["Subnet"]["SubnetId"]
        for place in range(number)
    ]


def route(ec2: Any, vpc: str, subnets: Sequence[str], **target: str) -> str:
    """A route table of the subnets' own with a default route; returns its id."""
    table: str = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    if target:
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return table


def main_table(ec2: Any, vpc: str) -> str:
    """The route table of all subnets that have none of their own."""
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    (table,) = ec2.describe_route_tables(Filters=filters)["RouteTables"]
    id_: str = table["RouteTableId"]
    return id_


def interface_endpoint(
    ec2: Any, vpc: str, service: str, subnets: Sequence[str], group: str, *, private_dns: bool = True
) -> str:
    """A private endpoint for a service, by its short name; returns its id."""
    made = ec2.create_vpc_endpoint(
        VpcId=vpc,
        VpcEndpointType="Interface",
        ServiceName=f"com.amazonaws.{REGION}.{service}",
        SubnetIds=subnets,
        SecurityGroupIds=[group],
        PrivateDnsEnabled=private_dns,
    )
    id_: str = made["VpcEndpoint"]["VpcEndpointId"]
    return id_


def gateway_endpoint(ec2: Any, vpc: str, tables: Sequence[str]) -> str:
    """A gateway to S3; returns its id."""
    made = ec2.create_vpc_endpoint(
        VpcId=vpc, VpcEndpointType="Gateway", ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=tables
    )
    id_: str = made["VpcEndpoint"]["VpcEndpointId"]
    return id_


def client() -> Any:
    """EC2 in the scenarios' region."""
    return boto3.client("ec2", region_name=REGION)
