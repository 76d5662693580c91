"""What an existing network must be like: rules over what was found of it, each with what to do."""

import ipaddress
import itertools
from collections.abc import Iterator, Sequence

from stack.network.endpoints import needed_services
from stack.network.found_network import Endpoint, FoundNetwork, Subnet
from stack.settings.config import Config

FREE_FOR_BALANCER = 8
"""Addresses that AWS wants free in each subnet of a load balancer."""
EVERYWHERE = "0.0.0.0/0"


def problems(config: Config, network: FoundNetwork) -> Iterator[str]:
    """Every reason why the stack cannot be deployed into `network`."""
    private, public = _known(config.private_subnet_ids, network), _known(config.public_subnet_ids, network)
    for key, asked, found in (
        ("private_subnet_ids", config.private_subnet_ids, private),
        ("public_subnet_ids", config.public_subnet_ids, public),
    ):
        yield from _places(key, asked, found, network)
    if config.internal:
        yield from _room("private_subnet_ids", private)
    else:
        yield from _room("public_subnet_ids", public)
        yield from _covered(private, public)
    yield from _routes(config, private, public, network)
    if config.nat == "none":
        if not network.names:
            yield f"{network.id}: switch DNS support and DNS host names on, or tasks do not find the private endpoints"
        yield from _there(config, private, network) if config.endpoints == "present" else _not_there(config, network)
    for group in config.allowed_security_groups:
        if group not in network.groups:
            yield f"allowed_security_groups: there is no security group {group} in {config.region}"


def tables_without_s3(config: Config, network: FoundNetwork) -> list[str]:
    """The private subnets' route tables from which no gateway that is there leads to S3."""
    gateways = [endpoint for endpoint in network.endpoints if endpoint.works and _serves(endpoint, "s3")]
    led = {table for endpoint in gateways for table in endpoint.tables}
    return sorted({subnet.table for subnet in _known(config.private_subnet_ids, network)} - led)


def used_endpoints(config: Config, network: FoundNetwork) -> list[Endpoint]:
    """The private endpoints that are there and that tasks call."""
    if config.nat != "none" or config.endpoints != "present":
        return []
    needed = needed_services(config)
    return [e for e in network.endpoints if e.works and e.private_dns and any(_serves(e, name) for name in needed)]


def _known(ids: Sequence[str], network: FoundNetwork) -> list[Subnet]:
    return [network.subnets[id_] for id_ in ids if id_ in network.subnets]


def _places(key: str, asked: Sequence[str], found: Sequence[Subnet], network: FoundNetwork) -> Iterator[str]:
    for id_ in asked:
        if id_ not in network.subnets:
            there = ", ".join(f"{subnet.id} ({subnet.zone})" for subnet in network.subnets.values()) or "none"
            yield f"{key}: {network.id} has no subnet {id_}; it has {there}"
    for subnet in found:
        if not subnet.cidr:
            yield f"{key}: {subnet.id} has no IPv4 addresses; name a subnet that has"
    by_zone = sorted(found, key=lambda subnet: subnet.zone)
    for one, other in itertools.pairwise(by_zone):
        if one.zone == other.zone:
            yield f"{key}: {one.id} and {other.id} both lie in {one.zone}; name one subnet in each availability zone"
    zones = {subnet.zone for subnet in found}
    if len(zones) == 1 and len(found) == len(asked):
        yield f"{key}: all lie in {zones.pop()}; name subnets in two or more availability zones"


def _room(key: str, subnets: Sequence[Subnet]) -> Iterator[str]:
    for subnet in subnets:
        if subnet.free < FREE_FOR_BALANCER and not subnet.has_balancer:
            yield f"{key}: {subnet.id} has {subnet.free} free addresses; a load balancer needs {FREE_FOR_BALANCER}"


def _covered(private: Sequence[Subnet], public: Sequence[Subnet]) -> Iterator[str]:
    zones = {subnet.zone for subnet in public}
    for subnet in private:
        if zones and subnet.zone not in zones:
            yield (
                f"private_subnet_ids: {subnet.id} lies in {subnet.zone}, where public_subnet_ids has none: the load "
                "balancer would send nothing to tasks there"
            )


def _routes(
    config: Config, private: Sequence[Subnet], public: Sequence[Subnet], network: FoundNetwork
) -> Iterator[str]:
    for subnet in public:
        routes = network.routes.get(subnet.table, ())
        if not any(route.works and route.target.startswith("igw-") for route in routes):
            yield f"public_subnet_ids: {subnet.id} has no route to an internet gateway; name a public subnet"
    for subnet in private if config.nat != "none" else ():
        out = [route for route in network.routes.get(subnet.table, ()) if route.destination == EVERYWHERE]
        if not out:
            yield (
                f"private_subnet_ids: {subnet.id} has no default route, so tasks reach no AWS service; name a subnet "
                "with a NAT gateway or another way out, or use nat = none with private endpoints"
            )
        for route in out:
            if route.target.startswith("igw-"):
                yield (
                    f"private_subnet_ids: {subnet.id} leads out through an internet gateway, which tasks, having no "
                    "public address, cannot use; name a private subnet"
                )
            elif not route.works:
                yield f"private_subnet_ids: the default route of {subnet.id} leads to {route.target}, which is gone"


def _there(config: Config, private: Sequence[Subnet], network: FoundNetwork) -> Iterator[str]:
    """What is missing of `endpoints = present`."""
    for service in needed_services(config):
        found = [endpoint for endpoint in network.endpoints if _serves(endpoint, service)]
        if not found:
            yield f"endpoints = 'present': {network.id} has no endpoint for {service}"
        elif not any(endpoint.works and endpoint.private_dns for endpoint in found):
            yield f"endpoints = 'present': {found[0].id} for {service} must be available and have private DNS"
    for endpoint in used_endpoints(config, network):
        yield from _closed(endpoint, private, network)
    for table in tables_without_s3(config, network):
        yield f"endpoints = 'present': route table {table} leads to no gateway endpoint for S3"


def _closed(endpoint: Endpoint, private: Sequence[Subnet], network: FoundNetwork) -> Iterator[str]:
    admitted = [ipaddress.ip_network(cidr) for group in endpoint.groups for cidr in network.groups.get(group, ())]
    for subnet in (subnet for subnet in private if subnet.cidr):
        own = ipaddress.IPv4Network(subnet.cidr)
        if not any(isinstance(wide, ipaddress.IPv4Network) and own.subnet_of(wide) for wide in admitted):
            yield (
                f"endpoints = 'present': the security groups of {endpoint.id} ({', '.join(endpoint.groups)}) let no "
                f"HTTPS in from {subnet.cidr}, where tasks in {subnet.id} are"
            )


def _not_there(config: Config, network: FoundNetwork) -> Iterator[str]:
    """What stands in the way of `endpoints = create`: of two endpoints for a service only one can have its name."""
    there = {
        service: endpoint.id
        for service in needed_services(config)
        for endpoint in network.endpoints
        if endpoint.private_dns and _serves(endpoint, service)
    }
    if there:
        found = ", ".join(f"{id_} for {service}" for service, id_ in there.items())
        missing = ", ".join(service for service in needed_services(config) if service not in there) or "none"
        yield (
            f"endpoints = 'create': {network.id} has {found} already, and a service's name leads to one endpoint; use "
            f"endpoints = present, which wants all there (missing: {missing})"
        )


def _serves(endpoint: Endpoint, service: str) -> bool:
    # They do not begin alike in all partitions.
    return endpoint.service.endswith(f".{service}")
