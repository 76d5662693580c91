"""The rule that sends every request of a listener to target groups, before the listener's own default does."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

ROLLING = 1
CANARY = 2
"""Priorities; the lower number wins. While a stack changes its strategy both rules are there, and the one of rolling
deployments decides: a canary's may still send everything to the group of a service that is about to go."""


def every_request(
    name: str,
    listener_arn: pulumi.Input[str],
    *,
    priority: int,
    weights: Sequence[tuple[pulumi.Input[str], int]],
    opts: pulumi.ResourceOptions,
) -> aws.lb.ListenerRule:
    """A rule for all paths, with `weights` as pairs of a target group's ARN and its share."""
    return aws.lb.ListenerRule(
        name,
        listener_arn=listener_arn,
        priority=priority,
        conditions=[{"path_pattern": {"values": ["/*"]}}],
        actions=[
            {
                "type": "forward",
                "forward": {"target_groups": [{"arn": arn, "weight": weight} for arn, weight in weights]},
            }
        ],
        opts=opts,
    )
