"""Who may talk to whom: callers to balancer, balancer to task, task to what it needs, and nothing else."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from stack.settings.config import Config
from stack.tasks.container import METRICS_PORT, PORT

HTTP = 80
HTTPS = 443


class SecurityGroups(pulumi.ComponentResource):
    """The chain of security groups, every rule of it, in both directions."""

    balancer: pulumi.Output[str]
    task: pulumi.Output[str]
    score: list[pulumi.Output[str]]
    """The one for the task that scores a table, which nobody calls; none where there is no such task."""
    endpoint: pulumi.Output[str] | None
    """For the private endpoints that the stack makes, where tasks have no other way out."""

    def __init__(
        self,
        config: Config,
        vpc_id: pulumi.Input[str],
        *,
        addresses: Sequence[str],
        endpoint_groups: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Create the groups in the network `vpc_id`.

        Args:
            config: The stack's.
            vpc_id: The network's id.
            addresses: The network's own, as CIDRs.
            endpoint_groups: Security groups of the private endpoints that the network has.
            opts: Of the component.
        """
        super().__init__("housing:network:SecurityGroups", config.prefix, None, opts)
        self._kept = pulumi.ResourceOptions(parent=self, protect=config.protected)
        self._name = config.prefix
        self.balancer = self._group("balancer", "Load balancer: HTTP(S) from the allowed networks", vpc_id)
        self.task = self._group("task", "Tasks: requests from the load balancer only", vpc_id)
        self.score = [self._group("score", "Scoring of tables: no way in", vpc_id)] if config.scoring else []
        self.endpoint = None

        for cidr in config.callers(addresses):
            self._admit(config, cidr=cidr)
        for group in config.allowed_security_groups:
            self._admit(config, group=group)
        self._allow("balancer-to-task", self.balancer, self.task, PORT)
        if config.metrics_from_security_group:
            aws.vpc.SecurityGroupIngressRule(
                f"{config.prefix}-metrics-to-task",
                security_group_id=self.task,
                description="Prometheus",
                referenced_security_group_id=config.metrics_from_security_group,
                ip_protocol="tcp",
                from_port=METRICS_PORT,
                to_port=METRICS_PORT,
                # No request needs it: the setting may change in a protected stack too.
                opts=pulumi.ResourceOptions(parent=self),
            )
        if config.nat == "none" and config.endpoints == "create":
            self.endpoint = self._group("endpoint", "Private endpoints: tasks only", vpc_id)
        self._let_out(config, "task", self.task, endpoint_groups)
        for score in self.score:
            self._let_out(config, "score", score, endpoint_groups)
        self.register_outputs({"balancer": self.balancer, "task": self.task})

    def _group(self, role: str, description: str, vpc_id: pulumi.Input[str]) -> pulumi.Output[str]:
        name = f"{self._name}-{role}"
        return aws.ec2.SecurityGroup(name, description=description, vpc_id=vpc_id, opts=self._kept).id

    def _admit(self, config: Config, *, cidr: str | None = None, group: str | None = None) -> None:
        """Let a network or a group call the load balancer."""
        for port in (HTTP, HTTPS) if config.https else (HTTP,):
            aws.vpc.SecurityGroupIngressRule(
                f"{config.prefix}-balancer-{port}-from-{cidr or group}",
                security_group_id=self.balancer,
                description="Callers",
                cidr_ipv4=cidr,
                referenced_security_group_id=group,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                # Who may call is for the settings to say, in a protected stack too.
                opts=pulumi.ResourceOptions(parent=self),
            )

    def _let_out(self, config: Config, name: str, source: pulumi.Output[str], endpoint_groups: Sequence[str]) -> None:
        """Let a task call what it needs of AWS."""
        if config.nat != "none":
            self._out(f"{name}-to-aws", source, cidr="0.0.0.0/0")
            return
        if self.endpoint is not None:
            self._allow(f"{name}-to-endpoint", source, self.endpoint, HTTPS)
        for group in endpoint_groups:
            self._out(f"{name}-to-{group}", source, group=group)
        self._out(f"{name}-to-s3", source, prefix_list_id=self._s3_addresses(config))

    def _allow(self, name: str, source: pulumi.Input[str], target: pulumi.Input[str], port: int) -> None:
        """Let the one group's members open connections to the other's."""
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-{name}",
            security_group_id=source,
            referenced_security_group_id=target,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            opts=self._kept,
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-{name}",
            security_group_id=target,
            referenced_security_group_id=source,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            opts=self._kept,
        )

    def _out(
        self,
        name: str,
        source: pulumi.Input[str],
        *,
        cidr: str | None = None,
        group: str | None = None,
        prefix_list_id: pulumi.Input[str] | None = None,
    ) -> None:
        """Let the tasks call HTTPS; AWS's public endpoints have no fixed addresses."""
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-{name}",
            security_group_id=source,
            description="ECR, logs and S3",
            cidr_ipv4=cidr,
            referenced_security_group_id=group,
            prefix_list_id=prefix_list_id,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            opts=self._kept,
        )

    def _s3_addresses(self, config: Config) -> pulumi.Output[str]:
        name = f"com.amazonaws.{config.region}.s3"
        return aws.ec2.get_managed_prefix_list_output(name=name, opts=pulumi.InvokeOutputOptions(parent=self)).id
