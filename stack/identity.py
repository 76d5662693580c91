"""The two roles of a task: ECS starts it with one, and the code in it has the other."""

import hashlib
import json
import re
from typing import Any

import pulumi
import pulumi_aws as aws

from stack.config import Config
from stack.registry import Registry

ECR_IMAGE = re.compile(
    r"^(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>[^:@]+)[:@]"
)


class Identity(pulumi.ComponentResource):
    """Execution role and task role, limited to this image, this log group and the models' prefix."""

    execution_role_arn: pulumi.Output[str]
    task_role_arn: pulumi.Output[str]
    policies: list[pulumi.Resource]
    """A service must be gone before these are, or its tasks cannot stop cleanly."""

    def __init__(
        self,
        config: Config,
        registry: Registry,
        log_group_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Create both roles."""
        super().__init__("housing:identity:Identity", config.name, None, opts)
        kept = pulumi.ResourceOptions(parent=self, protect=config.protected)
        execution = aws.iam.Role(
            f"{config.name}-execution",
            assume_role_policy=trust("ecs-tasks.amazonaws.com"),
            permissions_boundary=config.permissions_boundary,
            opts=kept,
        )
        task = aws.iam.Role(
            f"{config.name}-task",
            assume_role_policy=trust("ecs-tasks.amazonaws.com"),
            permissions_boundary=config.permissions_boundary,
            opts=kept,
        )
        repository = image_repository_arn(config, config.image_uri) or registry.arn
        statements = start_tasks(repository, log_group_arn)
        if config.api_keys_secret:
            # A reference to one key of a secret, or one version, goes on after the ARN's seven parts.
            secret = ":".join(config.api_keys_secret.split(":")[:7])
            statements.append({"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret})
        self.policies = [
            self._policy(f"{config.name}-execution", execution, statements),
            self._policy(f"{config.name}-task", task, [read_models(config)]),
        ]
        self.execution_role_arn = execution.arn
        self.task_role_arn = task.arn
        self.register_outputs({"execution_role_arn": self.execution_role_arn, "task_role_arn": self.task_role_arn})

    def _policy(self, name: str, role: aws.iam.Role, statements: list[dict[str, Any]]) -> aws.iam.RolePolicy:
        """A policy with a name of its own for each set of rights that the settings ask for.

        Other rights come as another policy before the service is updated, and the old one goes after it: the revision
        that runs, and that ECS would go back to, has what it needs until the new one is steady.
        """
        asked_for = json.dumps(statements, default=lambda _output: "what AWS names")
        return aws.iam.RolePolicy(
            f"{name}-{hashlib.sha256(asked_for.encode()).hexdigest()[:8]}",
            role=role.name,
            policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements}),
            opts=pulumi.ResourceOptions(parent=self),
        )


def trust(service: str) -> str:
    """Lets a service of AWS's take a role."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def start_tasks(repository_arn: pulumi.Input[str], log_group_arn: pulumi.Input[str]) -> list[dict[str, Any]]:
    """What ECS needs to start a task: its image, and a stream for its log."""
    return [
        # AWS knows no resource for this action: the token names nobody, what it opens is the next statement.
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
            "Resource": repository_arn,
        },
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": pulumi.Output.concat(log_group_arn, ":*"),
        },
    ]


def read_models(config: Config) -> dict[str, str]:
    """All that the code in a task may do in the account: read the models."""
    return {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": f"arn:{config.partition}:s3:::{config.model_bucket}/{config.models_prefix}/*",
    }


def image_repository_arn(config: Config, uri: str | None) -> str | None:
    """The ARN of the ECR repository that an image's URI names, None if it names none."""
    match = ECR_IMAGE.match(uri or "")
    if match is None:
        return None
    return f"arn:{config.partition}:ecr:{match['region']}:{match['account']}:repository/{match['name']}"
