"""The AWS provider: one region and one set of credentials for the resources and for reading the model."""

import pulumi_aws as aws

from stack.config import PROJECT, Config


def provider(config: Config) -> aws.Provider:
    """A provider for `config`'s region and profile that tags everything with the project and the stack."""
    return aws.Provider(
        "aws",
        region=config.region,
        profile=config.profile,
        default_tags={"tags": {"Project": PROJECT, "Stack": config.stack, "ManagedBy": "pulumi"}},
    )
