"""Settings: a table that the model scores as a task of its own."""

import dataclasses
from typing import Annotated

from msgspec import Meta

from stack.settings.kinds import S3Address


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScoringSettings:
    """A table that the model scores as a task of its own."""

    score_data: Annotated[
        S3Address | None,
        Meta(
            description="A table for the model to score as a task of its own: a folder, `s3://BUCKET/PREFIX`, or a "
            "pattern, `s3://BUCKET/PREFIX/*.parquet`. Without, there is no such task."
        ),
    ] = None
    score_out: Annotated[
        S3Address | None,
        Meta(description="Where its scores go, `s3://BUCKET/PREFIX`: each version of the model has a folder below."),
    ] = None
    score_schedule: Annotated[
        str | None,
        Meta(description="When the table is scored, in UTC, such as `cron(0 3 * * ? *)`; without, when you say so."),
    ] = None
    score_cpu: Annotated[int, Meta(description="CPU units of the task that scores: a process for each vCPU.")] = 1024
    score_memory: Annotated[int, Meta(description="Its memory in MiB: 512 for each process are plenty.")] = 2048
    score_image_uri: Annotated[
        str | None,
        Meta(description="Its image, built with `SCORING=true`, instead of building one; as `image_uri`."),
    ] = None
