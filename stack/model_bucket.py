"""The bucket that training publishes models to, where the stack is asked to create it."""

import pulumi

from stack.config import Config
from stack.private_bucket import PrivateBucket


class ModelBucket(PrivateBucket):
    """The bucket that training publishes to. It outlives every stack: Pulumi never deletes it."""

    def __init__(self, config: Config, opts: pulumi.ResourceOptions | None = None) -> None:
        """Create `config.model_bucket`."""
        super().__init__(
            "models", bucket_name=config.model_bucket, versioned=True, protect=True, retain=True, opts=opts
        )
