"""Log groups, kept as long as the configuration says, and in a protected stack beyond its end."""

from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from stack.settings.config import Config


class TaskLogs(NamedTuple):
    """Where the containers of a task write to."""

    service: aws.cloudwatch.LogGroup
    captured: aws.cloudwatch.LogGroup | None
    """Rows and answers, which may be people's data: a log with readers and a retention of its own."""

    @property
    def exports(self) -> dict[str, pulumi.Output[str]]:
        """What the stack tells of them."""
        return {"log_group": self.service.name} | ({"capture_log_group": self.captured.name} if self.captured else {})

    @property
    def groups(self) -> list[aws.cloudwatch.LogGroup]:
        """All of them."""
        return [self.service, *([self.captured] if self.captured else [])]


def task_logs(config: Config, opts: pulumi.ResourceOptions | None = None) -> TaskLogs:
    """The log of the service, and that of captured rows if any are captured."""
    captured = None
    if config.capture_percent:
        captured = log_group(config, "/capture/", opts, days=config.capture_retention_days)
    return TaskLogs(log_group(config, "/ecs/", opts), captured)


def log_group(
    config: Config, prefix: str, opts: pulumi.ResourceOptions | None = None, *, days: int | None = None
) -> aws.cloudwatch.LogGroup:
    """A log group whose name starts with `prefix` and the stack's name, kept so many days or as long as all logs."""
    name = f"{prefix}{config.prefix}"
    return aws.cloudwatch.LogGroup(
        name,
        name_prefix=f"{name}-",
        retention_in_days=days or config.log_retention_days,
        kms_key_id=config.kms_key_arn,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=config.protected)),
    )
