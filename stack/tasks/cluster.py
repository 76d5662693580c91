"""The ECS cluster."""

import pulumi
import pulumi_aws as aws

from stack.settings.config import Config


class Cluster(pulumi.ComponentResource):
    """A cluster for Fargate and Fargate Spot."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]

    def __init__(self, config: Config, opts: pulumi.ResourceOptions | None = None) -> None:
        """Create the cluster."""
        super().__init__("housing:service:Cluster", config.prefix, None, opts)
        kept = pulumi.ResourceOptions(parent=self, protect=config.protected)
        cluster = aws.ecs.Cluster(
            config.prefix,
            settings=[{"name": "containerInsights", "value": config.container_insights}],
            opts=kept,
        )
        self.arn = cluster.arn
        self.name = cluster.name
        # Both, whatever the share: a service must be able to leave a provider before the cluster does.
        aws.ecs.ClusterCapacityProviders(
            config.prefix, cluster_name=cluster.name, capacity_providers=["FARGATE", "FARGATE_SPOT"], opts=kept
        )
        self.register_outputs({"arn": self.arn, "name": self.name})
