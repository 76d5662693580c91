"""Settings: where the tasks are, and their way out."""

import dataclasses
from typing import Annotated, Literal

from msgspec import Meta

from stack.settings.kinds import SUBNETS, SubnetIds, VpcId, Zones


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """Where the tasks are, and their way out."""

    vpc_id: Annotated[
        VpcId | None,
        Meta(description="An existing network to deploy into, with `private_subnet_ids`, instead of a new one."),
    ] = None
    private_subnet_ids: Annotated[
        SubnetIds,
        Meta(
            description="Subnets of `vpc_id` for the tasks, one in each of two or more availability zones.",
            extra={"words": SUBNETS},
        ),
    ] = ()
    public_subnet_ids: Annotated[
        SubnetIds,
        Meta(
            description="Subnets of `vpc_id` for the load balancer, in all zones that the tasks have; none if it is "
            "`internal`.",
            extra={"words": SUBNETS},
        ),
    ] = ()
    vpc_cidr: Annotated[
        str,
        Meta(description="Addresses of the network, /16 to /20; cut into four parts, one per availability zone."),
    ] = "10.0.0.0/16"
    availability_zones: Annotated[
        Annotated[int, Meta(ge=2, le=4)] | Zones,
        Meta(
            description="Number of availability zones, the region's first ones by name, or their names: "
            '`["us-east-1a", "us-east-1c"]`.',
            extra={"words": 'a number from 2 to 4, or so many names, such as ["us-east-1a", "us-east-1c"]'},
        ),
    ] = 2
    nat: Annotated[
        Literal["single", "per_az", "none"],
        Meta(
            description="The tasks' way out: one NAT gateway, one per zone, or none at all, with private endpoints for "
            "the AWS services they need. With `vpc_id`: `none`, or else whatever way out the network has."
        ),
    ] = "single"
    endpoints: Annotated[
        Literal["create", "present"],
        Meta(description="With `nat: none`: create the private endpoints, or use those that `vpc_id` has."),
    ] = "create"
