"""Canary deployments: a second target group, the rule between the two, and the role that lets ECS move traffic."""

import json

import pulumi
import pulumi_aws as aws

from stack.settings.config import Config
from stack.traffic.listener_rule import CANARY, every_request
from stack.traffic.target_group import target_group


class Canary(pulumi.ComponentResource):
    """What a service needs to try a new revision on a share of the traffic first."""

    target_group: aws.lb.TargetGroup
    """The one that the balancer does not already have; ECS alternates between them."""
    load_balancer: aws.ecs.ServiceLoadBalancerAdvancedConfigurationArgsDict
    deployment: aws.ecs.ServiceDeploymentConfigurationArgsDict
    minutes: int
    """How long a deployment waits by plan."""
    needed: list[pulumi.Resource]
    """What must exist for as long as the service does."""

    def __init__(
        self,
        config: Config,
        vpc_id: pulumi.Input[str],
        listener_arn: pulumi.Input[str],
        target_group_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Take over the listener's traffic with a rule between `target_group_arn` and a group of its own."""
        super().__init__("housing:service:Canary", config.prefix, None, opts)
        kept = pulumi.ResourceOptions(parent=self, protect=config.protected)
        self.target_group = target_group(f"{config.prefix}-g", vpc_id, kept)
        rule = every_request(
            config.prefix,
            listener_arn,
            priority=CANARY,
            weights=[(target_group_arn, 100), (self.target_group.arn, 0)],
            # ECS moves the weights with every deployment.
            opts=pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(ignore_changes=["actions"])),
        )
        role = aws.iam.Role(
            f"{config.prefix}-traffic",
            assume_role_policy=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}
                    ],
                }
            ),
            permissions_boundary=config.permissions_boundary,
            opts=kept,
        )
        attachment = aws.iam.RolePolicyAttachment(
            f"{config.prefix}-traffic",
            role=role.name,
            policy_arn=f"arn:{config.partition}:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers",
            opts=kept,
        )
        watch = 10 if config.canary_minutes is None else config.canary_minutes
        bake = 5 if config.bake_minutes is None else config.bake_minutes
        self.minutes = watch + bake
        self.load_balancer = {
            "alternate_target_group_arn": self.target_group.arn,
            "production_listener_rule": rule.arn,
            "role_arn": role.arn,
        }
        self.deployment = {
            "strategy": "CANARY",
            "bake_time_in_minutes": str(bake),
            "canary_configuration": {
                "canary_percent": config.canary_share,
                "canary_bake_time_in_minutes": str(watch),
            },
        }
        self.needed = [rule, attachment]
        self.register_outputs({"target_group_arn": self.target_group.arn})
