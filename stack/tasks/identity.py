"""The two roles of a task: ECS starts it with one, and the code in it has the other."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from stack.settings.config import Config
from stack.storage.model import PublishedModel
from stack.tasks.registry import Registry
from stack.watching.logs import TaskLogs

ECR_IMAGE = re.compile(
    r"^(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>[^:@]+)[:@]"
)


class Identity(pulumi.ComponentResource):
    """Execution role and task role, limited to this image, these logs and the models' prefix."""

    execution_role_arn: pulumi.Output[str]
    task_role_arn: pulumi.Output[str]
    policies: list[pulumi.Resource]
    """A service must be gone before these are, or its tasks cannot stop cleanly."""

    def __init__(
        self,
        config: Config,
        model: PublishedModel,
        registry: Registry,
        logs: TaskLogs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Create both roles, of which the second may read `model`."""
        super().__init__("housing:identity:Identity", config.prefix, None, opts)
        kept = pulumi.ResourceOptions(parent=self, protect=config.protected)
        execution = aws.iam.Role(
            f"{config.prefix}-execution",
            assume_role_policy=trust("ecs-tasks.amazonaws.com"),
            permissions_boundary=config.permissions_boundary,
            opts=kept,
        )
        task = aws.iam.Role(
            f"{config.prefix}-task",
            assume_role_policy=trust("ecs-tasks.amazonaws.com"),
            permissions_boundary=config.permissions_boundary,
            opts=kept,
        )
        repository = image_repository_arn(config, config.image_uri) or registry.arn
        statements = start_tasks(repository, logs.groups)
        if config.api_keys_secret:
            # A reference to one key of a secret, or one version, goes on after the ARN's seven parts.
            secret = ":".join(config.api_keys_secret.split(":")[:7])
            statements.append({"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret})
        self._kms_key_arn = config.kms_key_arn
        self.policies = [
            self._policy(f"{config.prefix}-execution", execution, statements),
            self._policy(f"{config.prefix}-task", task, [read_models(config), *decrypt_models(config, model)]),
        ]
        self.execution_role_arn = execution.arn
        self.task_role_arn = task.arn
        self.register_outputs({"execution_role_arn": self.execution_role_arn, "task_role_arn": self.task_role_arn})

    def _policy(self, name: str, role: aws.iam.Role, statements: list[dict[str, Any]]) -> aws.iam.RolePolicy:
        """A policy with a name of its own for each set of rights that the settings ask for.

        Other rights come as another policy before the service is updated, and the old one goes after it: the revision
        that runs, and that ECS would go back to, has what it needs until the new one is steady.
        """
        # Under another key the registry, too, is another one.
        asked_for = json.dumps(statements, default=lambda _output: "what AWS names") + (self._kms_key_arn or "")
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


def start_tasks(repository_arn: pulumi.Input[str], logs: Sequence[aws.cloudwatch.LogGroup]) -> list[dict[str, Any]]:
    """What ECS needs to start a task: its image, and streams for its logs."""
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
            "Resource": [pulumi.Output.concat(group.arn, ":*") for group in logs],
        },
    ]


def read_models(config: Config) -> dict[str, str]:
    """All that the code in a task may do in the account: read the models."""
    return {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": f"arn:{config.partition}:s3:::{config.model_bucket}/{config.models_prefix}/*",
    }


def decrypt_models(config: Config, model: PublishedModel) -> list[dict[str, Any]]:
    """What it may do besides where the models lie under keys of one's own: have S3 decrypt these objects for it."""
    bucket = f"arn:{config.partition}:s3:::{config.model_bucket}"
    return [
        {
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": key_arn,
            "Condition": {
                "StringEquals": {"kms:ViaService": f"s3.{key_arn.split(':')[3]}.{config.dns_suffix}"},
                # The bucket's with a key of the bucket's between the two, else the object's.
                "ArnLike": {"kms:EncryptionContext:aws:s3:arn": [bucket, f"{bucket}/{config.models_prefix}/*"]},
            },
        }
        for key_arn in model.key_arns
    ]


def image_repository_arn(config: Config, uri: str | None) -> str | None:
    """The ARN of the ECR repository that an image's URI names, None if it names none."""
    match = ECR_IMAGE.match(uri or "")
    if match is None:
        return None
    return f"arn:{config.partition}:ecr:{match['region']}:{match['account']}:repository/{match['name']}"
