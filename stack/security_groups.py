"""Who may talk to whom: internet to balancer, balancer to task, task to what it needs, and nothing else."""

import pulumi
import pulumi_aws as aws

from stack.config import Config
from stack.container import PORT

HTTP = 80
HTTPS = 443


class SecurityGroups(pulumi.ComponentResource):
    """The chain of security groups, every rule of it, in both directions."""

    balancer: pulumi.Output[str]
    task: pulumi.Output[str]
    score: list[pulumi.Output[str]]
    """The one for the task that scores a table, which nobody calls; none where there is no such task."""
    endpoint: pulumi.Output[str] | None
    """For the private endpoints of AWS services, where tasks have no other way out."""

    def __init__(self, config: Config, vpc_id: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        """Create the groups in the network `vpc_id`."""
        super().__init__("housing:network:SecurityGroups", config.name, None, opts)
        self._kept = pulumi.ResourceOptions(parent=self, protect=config.protected)
        self._name = config.name
        self.balancer = self._group("balancer", "Load balancer: HTTP(S) from the allowed networks", vpc_id)
        self.task = self._group("task", "Tasks: requests from the load balancer only", vpc_id)
        self.score = [self._group("score", "Scoring of tables: no way in", vpc_id)] if config.scoring else []
        self.endpoint = None

        for cidr in config.allowed_cidrs:
            for port in (HTTP, HTTPS) if config.https else (HTTP,):
                aws.vpc.SecurityGroupIngressRule(
                    f"{config.name}-balancer-{port}-from-{cidr}",
                    security_group_id=self.balancer,
                    description="Callers",
                    cidr_ipv4=cidr,
                    ip_protocol="tcp",
                    from_port=port,
                    to_port=port,
                    # Who may call is for `allowed_cidrs` to say, in a protected stack too.
                    opts=pulumi.ResourceOptions(parent=self),
                )
        self._allow("balancer-to-task", self.balancer, self.task, PORT)
        if config.nat == "none":
            self.endpoint = self._group("endpoint", "Private endpoints: tasks only", vpc_id)
        for name, group in (("task", self.task), *(("score", group) for group in self.score)):
            if self.endpoint is not None:
                self._allow(f"{name}-to-endpoint", group, self.endpoint, HTTPS)
                self._out(f"{name}-to-s3", group, prefix_list_id=self._s3_addresses(config))
            else:
                self._out(f"{name}-to-aws", group, cidr_ipv4="0.0.0.0/0")
        self.register_outputs({"balancer": self.balancer, "task": self.task})

    def _group(self, role: str, description: str, vpc_id: pulumi.Input[str]) -> pulumi.Output[str]:
        name = f"{self._name}-{role}"
        return aws.ec2.SecurityGroup(name, description=description, vpc_id=vpc_id, opts=self._kept).id

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
        group: pulumi.Input[str],
        *,
        cidr_ipv4: str | None = None,
        prefix_list_id: pulumi.Input[str] | None = None,
    ) -> None:
        """Let the tasks call HTTPS; AWS's public endpoints have no fixed addresses."""
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-{name}",
            security_group_id=group,
            description="ECR, logs and S3",
            cidr_ipv4=cidr_ipv4,
            prefix_list_id=prefix_list_id,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            opts=self._kept,
        )

    def _s3_addresses(self, config: Config) -> pulumi.Output[str]:
        name = f"com.amazonaws.{config.region}.s3"
        return aws.ec2.get_managed_prefix_list_output(name=name, opts=pulumi.InvokeOutputOptions(parent=self)).id
