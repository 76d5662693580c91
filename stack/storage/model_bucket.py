"""The bucket that training publishes models to, where the stack is asked to create it."""

import pulumi

from stack.settings.config import Config
from stack.storage.model import ModelError
from stack.storage.private_bucket import PrivateBucket


class ModelBucket(PrivateBucket):
    """The bucket that training publishes to. It outlives every stack: Pulumi never deletes it."""

    def __init__(self, config: Config, opts: pulumi.ResourceOptions | None = None) -> None:
        """Create `config.model_bucket`."""
        super().__init__(
            "models",
            bucket_name=config.model_bucket,
            kms_key_arn=config.kms_key_arn,
            versioned=True,
            protect=True,
            retain=True,
            opts=opts,
        )


def refuse_unless_first(config: Config, opts: pulumi.ResourceOptions | None = None) -> None:
    """Stop the program if this stack has deployed a service before: it would be taken down as if it were not wanted.

    The stack's own outputs, as its last update left them, say so; AWS cannot, once somebody has deleted the bucket.

    Raises:
        ModelError: while the program runs, once the outputs are there; Pulumi then deletes nothing.
    """

    def refuse(service: str | None) -> None:
        if service:
            raise ModelError(
                f"s3://{config.model_bucket} does not exist or never held anything, but this stack runs the service "
                f"{service}: without a model the whole stack would be deleted. Create the bucket again if it is gone "
                f"(`aws s3 mb s3://{config.model_bucket}`), publish a model "
                f"(`python -m training publish --store s3://{config.model_bucket}`), then `pulumi up --refresh`"
            )

    own = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    pulumi.StackReference("own", own, opts).get_output("ecs_service").apply(refuse)
