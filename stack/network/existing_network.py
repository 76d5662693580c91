"""A network that is there: the stack stands in its subnets, and changes nothing of it but what `endpoints` asks for."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from stack.network import network_rules
from stack.network.endpoints import Endpoints
from stack.network.found_network import FoundNetwork, look_up
from stack.network.security_groups import SecurityGroups
from stack.settings.config import Config
from stack.settings.loading import ConfigError


def find_network(config: Config) -> FoundNetwork | None:
    """The network that `vpc_id` names, None where the stack makes one.

    Raises:
        ConfigError: it is not there, or not fit for the stack, with every reason, one a line.
    """
    if config.vpc_id is None:
        return None
    found = look_up(config, config.vpc_id)
    if problems := list(network_rules.problems(config, found)):
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise ConfigError(f"vpc_id = {config.vpc_id!r}: the stack cannot be deployed there:\n{lines}")
    return found


class ExistingNetwork(pulumi.ComponentResource):
    """The subnets that the settings name, with security groups of the stack's own, and its endpoints if asked for."""

    vpc_id: pulumi.Output[str]
    public_subnet_ids: pulumi.Output[Sequence[str]]
    private_subnet_ids: pulumi.Output[Sequence[str]]
    security_groups: SecurityGroups

    def __init__(
        self,
        config: Config,
        found: FoundNetwork,
        services: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Settle in `found`, with a private endpoint for each of `services`, AWS's names by short ones."""
        super().__init__("housing:network:ExistingNetwork", config.prefix, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.vpc_id = pulumi.Output.from_input(found.id)
        self.public_subnet_ids = pulumi.Output.from_input(list(config.public_subnet_ids))
        self.private_subnet_ids = pulumi.Output.from_input(list(config.private_subnet_ids))
        present = network_rules.used_endpoints(config, found)
        self.security_groups = SecurityGroups(
            config,
            found.id,
            addresses=found.cidrs,
            endpoint_groups=sorted({group for endpoint in present for group in endpoint.groups}),
            opts=child,
        )
        if self.security_groups.endpoint is not None:
            Endpoints(
                config,
                services=services,
                vpc_id=found.id,
                subnet_ids=self.private_subnet_ids,
                security_group=self.security_groups.endpoint,
                opts=child,
            )
            if tables := network_rules.tables_without_s3(config, found):
                aws.ec2.VpcEndpoint(
                    f"{config.prefix}-s3",
                    vpc_id=found.id,
                    service_name=f"com.amazonaws.{config.region}.s3",
                    vpc_endpoint_type="Gateway",
                    route_table_ids=tables,
                    opts=child,
                )
        self.register_outputs({"vpc_id": self.vpc_id})
