"""The network: public subnets for the load balancer, private ones for the tasks, and no way in but that."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx

from stack.network.endpoints import Endpoints
from stack.network.security_groups import SecurityGroups
from stack.settings.config import Config
from stack.storage.log_bucket import LogBucket

NAT_STRATEGY = {
    "single": awsx.ec2.NatGatewayStrategy.SINGLE,
    "per_az": awsx.ec2.NatGatewayStrategy.ONE_PER_AZ,
    "none": awsx.ec2.NatGatewayStrategy.NONE,
}


class Network(pulumi.ComponentResource):
    """A VPC over two or more availability zones with its security groups, flow log and endpoints."""

    vpc_id: pulumi.Output[str]
    public_subnet_ids: pulumi.Output[Sequence[str]]
    private_subnet_ids: pulumi.Output[Sequence[str]]
    security_groups: SecurityGroups

    def __init__(
        self,
        config: Config,
        zones: Sequence[str],
        services: Mapping[str, str],
        logs: LogBucket,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Lay out `config.vpc_cidr` over `zones`.

        Args:
            config: The stack's.
            zones: Names of the availability zones.
            services: AWS services that get a private endpoint, as `endpoints.find_endpoint_services` says.
            logs: Where refused traffic is logged.
            opts: Of the component.
        """
        super().__init__("housing:network:Network", config.prefix, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # A zone has its quarter of the network whatever their number, so that adding a zone moves no subnet.
        zone_mask = int(config.vpc_cidr.partition("/")[2]) + 2
        vpc = awsx.ec2.Vpc(
            config.prefix,
            cidr_block=config.vpc_cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            availability_zone_names=list(zones),
            availability_zone_cidr_mask=zone_mask,
            subnet_strategy=awsx.ec2.SubnetAllocationStrategy.AUTO,
            subnet_specs=[
                {"type": awsx.ec2.SubnetType.PRIVATE, "cidr_mask": zone_mask + 1},
                {"type": awsx.ec2.SubnetType.PUBLIC, "cidr_mask": zone_mask + 2},
            ],
            nat_gateways={"strategy": NAT_STRATEGY[config.nat]},
            # Models and image layers come from S3: the gateway is free and keeps them off the NAT gateway.
            vpc_endpoint_strategy=awsx.ec2.VpcEndpointStrategy.AUTO,
            vpc_endpoint_specs=[{"service_name": f"com.amazonaws.{config.region}.s3", "vpc_endpoint_type": "Gateway"}],
            opts=pulumi.ResourceOptions(
                parent=self, transforms=[no_public_ip_on_launch, *([protect] if config.protected else [])]
            ),
        )
        self.vpc_id = vpc.vpc_id
        self.public_subnet_ids = vpc.public_subnet_ids
        self.private_subnet_ids = vpc.private_subnet_ids
        # Without rules: what forgets to name a security group reaches nothing.
        aws.ec2.DefaultSecurityGroup(config.prefix, vpc_id=vpc.vpc_id, opts=child)
        aws.ec2.FlowLog(
            config.prefix,
            vpc_id=vpc.vpc_id,
            traffic_type="REJECT",
            log_destination_type="s3",
            log_destination=logs.arn,
            max_aggregation_interval=600,
            # The bucket's policy must stand first, or AWS writes one of its own.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[logs.policy]),
        )
        self.security_groups = SecurityGroups(config, vpc.vpc_id, addresses=[config.vpc_cidr], opts=child)
        if self.security_groups.endpoint is not None:
            Endpoints(
                config,
                services=services,
                vpc_id=vpc.vpc_id,
                subnet_ids=self.private_subnet_ids,
                security_group=self.security_groups.endpoint,
                opts=child,
            )
        self.register_outputs(
            {
                "vpc_id": self.vpc_id,
                "public_subnet_ids": self.public_subnet_ids,
                "private_subnet_ids": self.private_subnet_ids,
            }
        )


def no_public_ip_on_launch(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """Give nothing a public address for being in a public subnet: balancer and NAT gateway bring their own."""
    if args.type_ != "aws:ec2/subnet:Subnet":
        return None
    return pulumi.ResourceTransformResult({**args.props, "mapPublicIpOnLaunch": False}, args.opts)


def protect(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """Let Pulumi refuse to delete any part of the network."""
    if not args.custom:
        return None
    kept = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(protect=True))
    return pulumi.ResourceTransformResult(args.props, kept)
