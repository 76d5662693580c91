"""Private endpoints: how tasks reach AWS in a network without NAT, and with it without the internet."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from stack.config import Config


class Endpoints(pulumi.ComponentResource):
    """An interface endpoint in every private subnet for each service that a task calls; S3 has its gateway."""

    def __init__(
        self,
        config: Config,
        *,
        vpc_id: pulumi.Input[str],
        subnet_ids: pulumi.Input[Sequence[str]],
        security_group: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Create the endpoints behind `security_group`."""
        super().__init__("housing:network:Endpoints", config.name, None, opts)
        services = ["ecr.api", "ecr.dkr", "logs"]
        if config.api_keys_secret:
            services.append("secretsmanager")
        for service in services:
            aws.ec2.VpcEndpoint(
                f"{config.name}-{service}",
                vpc_id=vpc_id,
                service_name=f"com.amazonaws.{config.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=subnet_ids,
                security_group_ids=[security_group],
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
