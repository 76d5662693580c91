"""The AWS provider: one region and one set of credentials for the resources and for what is looked up."""

import pulumi
import pulumi_aws as aws

from stack.settings.config import PROJECT, Config

SECRET = ("access_key", "secret_key", "token")


def provider(config: Config) -> aws.Provider:
    """A provider with all `aws:` settings that tags everything with the project and the stack, and with their tags."""
    arguments = config.account.provider_arguments()
    for key in arguments.keys() & set(SECRET):
        arguments[key] = pulumi.Output.secret(arguments[key])
    # The stack's own tags win: by them its pipelines may change it.
    tags = {**config.account.default_tags.tags, "Project": PROJECT, "Stack": config.stack, "ManagedBy": "pulumi"}
    return aws.Provider("aws", region=config.region, default_tags={"tags": tags}, **arguments)
