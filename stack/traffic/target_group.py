"""A target group: the tasks that the load balancer may send requests to."""

import pulumi
import pulumi_aws as aws

from stack.tasks import timeouts
from stack.tasks.container import PORT


def target_group(name: str, vpc_id: pulumi.Input[str], opts: pulumi.ResourceOptions) -> aws.lb.TargetGroup:
    """A group of tasks that get requests as long as they answer `GET /health`."""
    return aws.lb.TargetGroup(
        name,
        vpc_id=vpc_id,
        target_type="ip",
        port=PORT,
        protocol="HTTP",
        deregistration_delay=timeouts.DEREGISTRATION,
        health_check={
            "path": "/health",
            "matcher": "200",
            "interval": 10,
            "timeout": 5,
            "healthy_threshold": 2,
            "unhealthy_threshold": 3,
        },
        opts=opts,
    )
