"""The ECS cluster."""

import pulumi
import pulumi_aws as aws

from stack.config import Config


class Cluster(pulumi.ComponentResource):
    """A cluster for Fargate, and for Fargate Spot where the configuration asks for a share."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]

    def __init__(self, config: Config, opts: pulumi.ResourceOptions | None = None) -> None:
        """Create the cluster."""
        super().__init__("housing:service:Cluster", config.name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        cluster = aws.ecs.Cluster(
            config.name,
            settings=[{"name": "containerInsights", "value": config.container_insights}],
            opts=child,
        )
        self.arn = cluster.arn
        self.name = cluster.name
        if config.spot_percent:
            aws.ecs.ClusterCapacityProviders(
                config.name, cluster_name=cluster.name, capacity_providers=["FARGATE", "FARGATE_SPOT"], opts=child
            )
        self.register_outputs({"arn": self.arn, "name": self.name})
