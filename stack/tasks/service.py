"""The ECS service: the task definition, and how its tasks are run, replaced and rolled back."""

import math

import pulumi
import pulumi_aws as aws

from stack.network.existing_network import ExistingNetwork
from stack.network.network import Network
from stack.settings.config import Config
from stack.storage.model import PublishedModel
from stack.tasks.canary import Canary
from stack.tasks.cluster import Cluster
from stack.tasks.container import NAME, PORT, TMP, canonical_json, containers
from stack.tasks.identity import Identity
from stack.traffic.balancer import Balancer
from stack.traffic.listener_rule import ROLLING, every_request
from stack.watching.alarms import Alarms
from stack.watching.logs import TaskLogs

FIRST_ON_DEMAND = 1
"""Tasks that never run on Spot: a reclaimed share leaves somebody to answer."""


class Service(pulumi.ComponentResource):
    """Tasks on Fargate behind the balancer."""

    name: pulumi.Output[str]
    cluster_name: pulumi.Output[str]
    cluster_arn: pulumi.Output[str]
    task_definition_arn: pulumi.Output[str]

    def __init__(
        self,
        config: Config,
        model: PublishedModel,
        image: pulumi.Input[str],
        logs: TaskLogs,
        identity: Identity,
        network: Network | ExistingNetwork,
        balancer: Balancer,
        alarms: Alarms,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Run `image` with `model`, and wait until it does."""
        super().__init__("housing:service:Service", config.prefix, None, opts)
        cluster = Cluster(config, pulumi.ResourceOptions(parent=self))
        canary = balancer.canary
        definition = aws.ecs.TaskDefinition(
            config.prefix,
            family=config.prefix,
            cpu=str(config.cpu),
            memory=str(config.memory),
            network_mode="awsvpc",
            requires_compatibilities=["FARGATE"],
            runtime_platform={"cpu_architecture": config.cpu_architecture, "operating_system_family": "LINUX"},
            execution_role_arn=identity.execution_role_arn,
            task_role_arn=identity.task_role_arn,
            volumes=[{"name": TMP}],
            container_definitions=pulumi.Output.all(image, *(group.name for group in logs.groups)).apply(
                lambda known: canonical_json(containers(config, model, known[0], *known[1:]))
            ),
            # Old revisions cost nothing, and are what ECS rolls back to.
            skip_destroy=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        load_balancer: aws.ecs.ServiceLoadBalancerArgsDict = {
            "target_group_arn": balancer.target_group.arn,
            "container_name": NAME,
            "container_port": PORT,
        }
        if canary:
            load_balancer["advanced_configuration"] = canary.load_balancer
        service = aws.ecs.Service(
            # Another strategy is another service, so that the old tasks answer until the new ones have the traffic.
            f"{config.prefix}-canary" if canary else config.prefix,
            cluster=cluster.arn,
            task_definition=definition.arn,
            desired_count=config.desired_count,
            capacity_provider_strategies=_capacity(config.spot_percent),
            # AWS takes another share of Spot with new tasks only.
            force_new_deployment=True,
            platform_version="LATEST",
            network_configuration={
                "subnets": network.private_subnet_ids,
                "security_groups": [network.security_groups.task],
                "assign_public_ip": False,
            },
            load_balancers=[load_balancer],
            health_check_grace_period_seconds=config.start_seconds + 30,
            deployment_minimum_healthy_percent=100,
            deployment_maximum_percent=200,
            # The circuit breaker knows rolling deployments only; a canary is rolled back by the alarms.
            deployment_circuit_breaker=None if canary else {"enable": True, "rollback": True},
            deployment_configuration=canary.deployment if canary else None,
            alarms={"enable": True, "rollback": True, "alarm_names": alarms.deployment},
            # A deployment that ECS rolls back makes `pulumi up` fail instead of pretending.
            wait_for_steady_state=True,
            force_delete=not config.protected,
            propagate_tags="SERVICE",
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=config.protected,
                # Scaling owns the count, and ECS which of a canary's target groups is live.
                ignore_changes=["desiredCount", "loadBalancers"] if canary else ["desiredCount"],
                # Created after these, and gone before them: tasks need their routes and policies to the last.
                depends_on=[
                    network,
                    cluster,
                    balancer.listener,
                    *identity.policies,
                    *(canary.needed if canary else []),
                ],
                custom_timeouts=_timeouts(config, canary),
            ),
        )
        if canary is None:
            # Who comes from canary: the traffic moves here once these tasks run, before the old service goes.
            every_request(
                f"{config.prefix}-rolling",
                balancer.listener.arn,
                priority=ROLLING,
                weights=[(balancer.target_group.arn, 1)],
                opts=pulumi.ResourceOptions(parent=self, depends_on=[service]),
            )
        self.name = service.name
        self.cluster_name, self.cluster_arn = cluster.name, cluster.arn
        self.task_definition_arn = definition.arn
        self.register_outputs(
            {"name": self.name, "cluster_name": self.cluster_name, "task_definition_arn": self.task_definition_arn}
        )


def _timeouts(config: Config, canary: Canary | None) -> pulumi.CustomTimeouts:
    """Long enough for the circuit breaker to see three tasks fail and for the rollback after it."""
    minutes = 15 + 5 * math.ceil(config.start_seconds / 60) + (canary.minutes if canary else 0)
    return pulumi.CustomTimeouts(create=f"{minutes}m", update=f"{minutes}m", delete="15m")


def _capacity(spot_percent: int) -> list[aws.ecs.ServiceCapacityProviderStrategyArgsDict]:
    """Capacity providers even without Spot: a service with a launch type could only be replaced to get a share."""
    shares: list[aws.ecs.ServiceCapacityProviderStrategyArgsDict] = [
        {"capacity_provider": "FARGATE", "base": FIRST_ON_DEMAND, "weight": 100 - spot_percent}
    ]
    if spot_percent:
        shares.append({"capacity_provider": "FARGATE_SPOT", "base": 0, "weight": spot_percent})
    return shares
