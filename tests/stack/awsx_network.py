"""What `awsx.ec2.Vpc` makes of its inputs: a remote component, whose parts Pulumi's mocks do not show.

After `awsx/ec2/vpc.ts` of pulumi-awsx: the same types, parents and dependencies; addresses are names of their place.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pulumi

from tests.stack.recording import Recording, Resource

VPC = "awsx:ec2:Vpc"


def deployed(recording: Recording) -> list[Resource]:
    """Everything that a recording deploys, the network's parts included, each after what it depends on."""
    resources: list[Resource] = []
    for resource in recording.resources:
        resources.append(resource)
        if resource.type == VPC:
            resources.extend(parts(resource))
    return resources


def parts(component: Resource) -> Iterator[Resource]:
    """The parts of one network, passed through its transforms as the engine passes them."""
    inputs, name = component.inputs, component.name
    zones = inputs.get("availabilityZoneNames") or range(int(inputs["numberOfAvailabilityZones"]))
    strategy = inputs["natGateways"]["strategy"]
    kinds = sorted((spec["type"] for spec in inputs["subnetSpecs"]), reverse=True)

    vpc = _part(component, component, "aws:ec2/vpc:Vpc", name, {"cidrBlock": inputs["cidrBlock"]})
    gateway = _part(component, vpc, "aws:ec2/internetGateway:InternetGateway", name, {}, vpcId=vpc)
    yield from (vpc, gateway)
    for spec in inputs["vpcEndpointSpecs"]:
        yield _part(component, vpc, "aws:ec2/vpcEndpoint:VpcEndpoint", spec["serviceName"], spec, vpcId=vpc)
    nats: list[Resource] = []
    for number, zone in enumerate(zones):
        for kind in kinds:
            label = f"{name}-{kind.lower()}-{number + 1}"
            place = {"cidrBlock": f"{inputs['cidrBlock']}, zone {number}, {kind}", "availabilityZone": str(zone)}
            place["mapPublicIpOnLaunch"] = kind == "Public"
            subnet = _part(component, vpc, "aws:ec2/subnet:Subnet", label, place, vpcId=vpc)
            table = _part(component, subnet, "aws:ec2/routeTable:RouteTable", label, {}, vpcId=vpc)
            yield from (subnet, table)
            association = "aws:ec2/routeTableAssociation:RouteTableAssociation"
            yield _part(component, table, association, label, {}, routeTableId=table, subnetId=subnet)
            if kind == "Public" and (strategy == "OnePerAz" or (strategy == "Single" and not nats)):
                address = _part(component, subnet, "aws:ec2/eip:Eip", f"{name}-{number + 1}", {})
                place_of_nat = {"subnetId": subnet, "allocationId": address}
                nats.append(_part(component, subnet, "aws:ec2/natGateway:NatGateway", address.name, {}, **place_of_nat))
                yield from (address, nats[-1])
            route = "aws:ec2/route:Route"
            if kind == "Public":
                yield _part(component, table, route, label, {}, routeTableId=table, gatewayId=gateway)
            elif nats:
                yield _part(component, table, route, label, {}, routeTableId=table, natGatewayId=nats[-1])


def _part(
    component: Resource, parent: Resource, type_: str, name: str, inputs: dict[str, Any], **references: Resource
) -> Resource:
    props = {**inputs, **{key: f"{resource.name}-id" for key, resource in references.items()}}
    options = pulumi.ResourceOptions()
    for transform in component.transforms:
        result = transform(pulumi.ResourceTransformArgs(True, type_, name, props, options))
        if result is not None:
            props, options = dict(result.props), result.opts
    return dataclasses.replace(
        component,
        type=type_,
        name=name,
        urn=f"{component.urn}::{type_}::{name}",
        inputs=props,
        custom=True,
        protect=bool(options.protect),
        depends_on=[parent.urn, *(resource.urn for resource in references.values())],
        property_depends_on={key: [resource.urn] for key, resource in references.items()},
        parent=parent.urn,
        provider=component.providers["aws"],
        transforms=[],
    )
