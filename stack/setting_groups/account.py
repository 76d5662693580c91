"""Settings: how the stack fits the account that it is in."""

import dataclasses
from typing import Annotated

from msgspec import Meta

from stack.kinds import PolicyArn


@dataclasses.dataclass(frozen=True, kw_only=True)
class AccountSettings:
    """How the stack fits the account that it is in."""

    protected: Annotated[
        bool,
        Meta(
            description="Production: deletion protection on, images and logs kept when the stack is destroyed. "
            "Otherwise `pulumi destroy` leaves nothing but the models."
        ),
    ] = False
    permissions_boundary: Annotated[
        PolicyArn | None,
        Meta(description="ARN of the policy that limits every role of the stack, where the account demands one."),
    ] = None
