"""Private endpoints: how tasks reach AWS in a network without NAT, and with it without the internet."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws
from botocore.exceptions import BotoCoreError, ClientError

from stack.settings.config import Config
from stack.settings.loading import ConfigError


def needed_services(config: Config) -> list[str]:
    """Short names of the AWS services that tasks call, apart from S3, which has a gateway."""
    return ["ecr.api", "ecr.dkr", "logs", *(["secretsmanager"] if config.api_keys_secret else [])]


def find_endpoint_services(config: Config) -> dict[str, str]:
    """AWS's names of the services that get a private endpoint, by their short names; none where tasks need none.

    They are looked up, since they do not begin alike in all partitions: `cn.com.amazonaws.cn-north-1.ecr.api`.

    Raises:
        ConfigError: the region has no endpoint for one of them.
    """
    if config.nat != "none" or config.endpoints == "present":
        return {}
    needed = needed_services(config)
    try:
        pages = config.account.client("ec2", config.region).get_paginator("describe_vpc_endpoint_services").paginate()
        names = [name for page in pages for name in page["ServiceNames"]]
    except (BotoCoreError, ClientError) as error:
        raise ConfigError(f"nat = 'none': the private endpoints cannot be looked up: {error}") from error
    found = {short: name for short in needed for name in names if name.endswith(f".amazonaws.{config.region}.{short}")}
    if missing := [short for short in needed if short not in found]:
        raise ConfigError(f"nat = 'none': {config.region} has no private endpoint for {', '.join(missing)}")
    return found


class Endpoints(pulumi.ComponentResource):
    """An interface endpoint in every private subnet for each service that a task calls; S3 has its gateway."""

    def __init__(
        self,
        config: Config,
        *,
        services: Mapping[str, str],
        vpc_id: pulumi.Input[str],
        subnet_ids: pulumi.Input[Sequence[str]],
        security_group: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Create the endpoints of `services`, AWS's names by short ones, behind `security_group`."""
        super().__init__("housing:network:Endpoints", config.prefix, None, opts)
        for service, name in services.items():
            aws.ec2.VpcEndpoint(
                f"{config.prefix}-{service}",
                vpc_id=vpc_id,
                service_name=name,
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=subnet_ids,
                security_group_ids=[security_group],
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
