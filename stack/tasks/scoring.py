"""A task that scores a table in S3 with the deployed model, by the clock or when somebody says so."""

from typing import Any

import pulumi
import pulumi_aws as aws

from stack.network.existing_network import ExistingNetwork
from stack.network.network import Network
from stack.settings.config import Config
from stack.settings.tables import place
from stack.storage.model import PublishedModel
from stack.tasks.container import TMP, canonical_json, scoring_container
from stack.tasks.identity import decrypt_models, image_repository_arn, read_models, start_tasks, trust
from stack.tasks.image import Image
from stack.tasks.registry import Registry
from stack.tasks.service import Service
from stack.watching.alarms import Alarms
from stack.watching.logs import TaskLogs

TRIES = 5
"""How often the clock's start of a task is tried again, within an hour: Fargate may have no room for a while."""


class Scoring(pulumi.ComponentResource):
    """The task, with a role that reads one prefix and writes another; its schedule; and a word when a run fails."""

    exports: dict[str, pulumi.Output[str]]
    """What `aws ecs run-task` wants: `score_task_definition`, and `score_network` for `--network-configuration`."""

    def __init__(
        self,
        config: Config,
        model: PublishedModel,
        registry: Registry,
        logs: TaskLogs,
        network: Network | ExistingNetwork,
        service: Service,
        alarms: Alarms,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Score `config.score_data` with `model`."""
        super().__init__("housing:scoring:Scoring", config.prefix, None, opts)
        self._config, self._name = config, f"{config.prefix}-score"
        self._child = pulumi.ResourceOptions(parent=self)
        image = config.score_image_uri or Image(config, registry, self._child, scoring=True).uri
        repository = image_repository_arn(config, config.score_image_uri) or registry.arn
        role = self._role(
            self._name,
            "ecs-tasks.amazonaws.com",
            [read_models(config), *decrypt_models(config, model), *tables(config)],
        )
        execution = self._role(
            f"{self._name}-execution", "ecs-tasks.amazonaws.com", start_tasks(repository, [logs.service])
        )
        definition = aws.ecs.TaskDefinition(
            self._name,
            family=self._name,
            cpu=str(config.score_cpu),
            memory=str(config.score_memory),
            network_mode="awsvpc",
            requires_compatibilities=["FARGATE"],
            runtime_platform={"cpu_architecture": config.cpu_architecture, "operating_system_family": "LINUX"},
            execution_role_arn=execution.arn,
            task_role_arn=role.arn,
            volumes=[{"name": TMP}],
            container_definitions=pulumi.Output.all(image, logs.service.name).apply(
                lambda known: canonical_json([scoring_container(config, model, image=known[0], log_group=known[1])])
            ),
            # Old revisions cost nothing, and a run that has begun goes on with its own.
            skip_destroy=True,
            opts=self._child,
        )
        subnets = pulumi.Output.json_dumps(
            {
                "awsvpcConfiguration": {
                    "subnets": network.private_subnet_ids,
                    "securityGroups": network.security_groups.score,
                    "assignPublicIp": "DISABLED",
                }
            }
        )
        if config.score_schedule:
            self._schedule(config.score_schedule, definition, [role.arn, execution.arn], network, service)
        self._tell_of_failures(service, alarms)
        self.exports = {"score_task_definition": definition.arn, "score_network": subnets}
        self.register_outputs(self.exports)

    def _role(self, name: str, service: str, statements: list[dict[str, Any]]) -> aws.iam.Role:
        role = aws.iam.Role(
            name,
            assume_role_policy=trust(service),
            permissions_boundary=self._config.permissions_boundary,
            opts=self._child,
        )
        aws.iam.RolePolicy(
            name,
            role=role.name,
            policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements}),
            opts=self._child,
        )
        return role

    def _schedule(
        self,
        expression: str,
        definition: aws.ecs.TaskDefinition,
        roles: list[pulumi.Output[str]],
        network: Network | ExistingNetwork,
        service: Service,
    ) -> None:
        starter = self._role(
            f"{self._name}-clock",
            "scheduler.amazonaws.com",
            [
                {
                    "Effect": "Allow",
                    "Action": "ecs:RunTask",
                    "Resource": definition.arn,
                    "Condition": {"ArnEquals": {"ecs:cluster": service.cluster_arn}},
                },
                {
                    "Effect": "Allow",
                    "Action": "iam:PassRole",
                    "Resource": roles,
                    "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
                },
            ],
        )
        aws.scheduler.Schedule(
            self._name,
            description="Scores a table with the deployed model",
            schedule_expression=expression,
            schedule_expression_timezone="UTC",
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": service.cluster_arn,
                "role_arn": starter.arn,
                "ecs_parameters": {
                    "task_definition_arn": definition.arn,
                    "launch_type": "FARGATE",
                    "network_configuration": {
                        "subnets": network.private_subnet_ids,
                        "security_groups": network.security_groups.score,
                        "assign_public_ip": False,
                    },
                    "propagate_tags": "TASK_DEFINITION",
                },
                "retry_policy": {"maximum_event_age_in_seconds": 3600, "maximum_retry_attempts": TRIES},
            },
            opts=self._child,
        )

    def _tell_of_failures(self, service: Service, alarms: Alarms) -> None:
        """A run that ends otherwise than with 0, or never begins, is told to whom alarms are told."""
        rule = aws.cloudwatch.EventRule(
            self._name,
            description="A task that scores a table has failed, or refused rows",
            event_pattern=pulumi.Output.json_dumps(
                {
                    "source": ["aws.ecs"],
                    "detail-type": ["ECS Task State Change"],
                    "detail": {
                        "clusterArn": [service.cluster_arn],
                        "group": [f"family:{self._name}"],
                        "lastStatus": ["STOPPED"],
                        "$or": [
                            {"containers": {"exitCode": [{"anything-but": [0]}]}},
                            {"stopCode": ["TaskFailedToStart"]},
                        ],
                    },
                }
            ),
            opts=self._child,
        )
        aws.cloudwatch.EventTarget(
            self._name,
            rule=rule.name,
            arn=alarms.topic_arn,
            input_transformer={
                "input_paths": {
                    "task": "$.detail.taskArn",
                    "reason": "$.detail.stoppedReason",
                    "code": "$.detail.containers[0].exitCode",
                },
                "input_template": '"<task> scored a table and ended with <code>: <reason>. 4: rows were refused."',
            },
            opts=self._child,
        )


def tables(config: Config) -> list[dict[str, Any]]:
    """What the task may do with tables: read those at `score_data`, write, read and replace scores at `score_out`."""
    data, out = place(str(config.score_data)), place(str(config.score_out))
    bucket = f"arn:{config.partition}:s3:::"
    return [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{bucket}{data.bucket}/{data.prefix}*"},
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            "Resource": f"{bucket}{out.bucket}/{out.prefix}*",
        },
        *(
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": f"{bucket}{each.bucket}",
                "Condition": {"StringLike": {"s3:prefix": f"{each.prefix}*"}},
            }
            for each in (data, out)
        ),
    ]
