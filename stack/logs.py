"""Log groups, kept as long as the configuration says, and in a protected stack beyond its end."""

import pulumi
import pulumi_aws as aws

from stack.config import Config


def log_group(config: Config, prefix: str, opts: pulumi.ResourceOptions | None = None) -> aws.cloudwatch.LogGroup:
    """A log group whose name starts with `prefix` and the stack's name."""
    name = f"{prefix}{config.prefix}"
    return aws.cloudwatch.LogGroup(
        name,
        name_prefix=f"{name}-",
        retention_in_days=config.log_retention_days,
        kms_key_id=config.kms_key_arn,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=config.protected)),
    )
