"""Settings: where the tasks are, and their way out."""

import dataclasses
from typing import Annotated, Literal

from msgspec import Meta

from stack.kinds import Zones


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """Where the tasks are, and their way out."""

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
            "the AWS services they need."
        ),
    ] = "single"
