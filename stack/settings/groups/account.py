"""Settings: how the stack fits the account that it is in."""

import dataclasses
from typing import Annotated

from msgspec import Meta

from stack.settings.kinds import KeyArn, PolicyArn, ServiceName


@dataclasses.dataclass(frozen=True, kw_only=True)
class AccountSettings:
    """How the stack fits the account that it is in."""

    name: Annotated[
        ServiceName,
        Meta(
            description="What the names of all that the stack creates begin with, before the stack's own, so that two "
            "models live in one account as two stacks."
        ),
    ] = "housing"
    protected: Annotated[
        bool,
        Meta(
            description="Production: deletion protection on, images and logs kept when the stack is destroyed. "
            "Otherwise `pulumi destroy` leaves nothing but the models."
        ),
    ] = False
    kms_key_arn: Annotated[
        KeyArn | None,
        Meta(
            description="ARN of a KMS key of one's own for the images, the logs in CloudWatch, the alarms' topic and a "
            "bucket made with `create_model_bucket`. The load balancer writes to no bucket under such a key."
        ),
    ] = None
    permissions_boundary: Annotated[
        PolicyArn | None,
        Meta(description="ARN of the policy that limits every role of the stack, where the account demands one."),
    ] = None
