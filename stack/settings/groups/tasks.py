"""Settings: what runs in a task."""

import dataclasses
from typing import Annotated, Literal

from msgspec import Meta

from stack.settings.kinds import SecretArn


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaskSettings:
    """What runs in a task."""

    image_uri: Annotated[
        str | None,
        Meta(description="Deploy this image instead of building one (CI, promotion), best by digest: `…@sha256:…`."),
    ] = None
    cpu_architecture: Annotated[
        Literal["X86_64", "ARM64"],
        Meta(description="CPU of the tasks, and the platform that the image is built for."),
    ] = "X86_64"
    cpu: Annotated[int, Meta(description="CPU units of a task; 1024 are one vCPU.")] = 256
    memory: Annotated[
        int, Meta(description="Memory of a task in MiB; Fargate fixes which sizes go with which CPU.")
    ] = 512
    start_seconds: Annotated[
        int,
        Meta(description="Seconds a task may take to load its model before it gives up.", ge=10, le=300),
    ] = 60
    docs: Annotated[bool, Meta(description="Serve `/docs`, the OpenAPI document and the page at `/`.")] = False
    api_keys_secret: Annotated[
        SecretArn | None,
        Meta(description="ARN of a Secrets Manager secret: the keys that callers must send. Without, all may call."),
    ] = None
