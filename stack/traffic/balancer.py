"""The load balancer: the only thing that callers see."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from stack.network.existing_network import ExistingNetwork
from stack.network.network import Network
from stack.network.security_groups import HTTP, HTTPS
from stack.settings.config import Config
from stack.storage.log_bucket import LogBucket
from stack.tasks import timeouts
from stack.tasks.canary import Canary
from stack.traffic.certificate import Certificate
from stack.traffic.target_group import target_group

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
"""TLS 1.2 and 1.3 with forward secrecy and without CBC ciphers."""


class Balancer(pulumi.ComponentResource):
    """An application load balancer with one target group: HTTPS where there is a domain name, else HTTP."""

    arn: pulumi.Output[str]
    arn_suffix: pulumi.Output[str]
    dns_name: pulumi.Output[str]
    url: pulumi.Output[str]
    listener: aws.lb.Listener
    """The one that takes requests."""
    target_group: aws.lb.TargetGroup
    canary: Canary | None
    """Where new revisions first get a share of the traffic."""
    target_groups: list[aws.lb.TargetGroup]
    """All that may hold tasks."""

    def __init__(
        self,
        config: Config,
        network: Network | ExistingNetwork,
        hosted_zone: str | None,
        logs: LogBucket,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Create it in the public subnets, or if internal in the private ones.

        Its access log goes to `logs`, its name into the zone `hosted_zone`.
        """
        super().__init__("housing:balancer:Balancer", config.prefix, None, opts)
        self._config = config
        child = pulumi.ResourceOptions(parent=self)
        self._kept = pulumi.ResourceOptions(parent=self, protect=config.protected)
        balancer = aws.lb.LoadBalancer(
            config.prefix,
            load_balancer_type="application",
            internal=config.internal,
            subnets=network.private_subnet_ids if config.internal else network.public_subnet_ids,
            security_groups=[network.security_groups.balancer],
            idle_timeout=timeouts.IDLE,
            drop_invalid_header_fields=True,
            desync_mitigation_mode="defensive",
            enable_deletion_protection=config.protected,
            access_logs={"bucket": logs.bucket, "enabled": True},
            # AWS tries to write when the log is switched on: the bucket's policy must stand.
            opts=pulumi.ResourceOptions.merge(self._kept, pulumi.ResourceOptions(depends_on=[logs.policy])),
        )
        self.arn = balancer.arn
        self.arn_suffix = balancer.arn_suffix
        self.dns_name = balancer.dns_name
        # A target group belongs to one load balancer: another one's listener could not forward to it.
        with_balancer = pulumi.ResourceOptions.merge(self._kept, pulumi.ResourceOptions(replace_with=[balancer]))
        self.target_group = target_group(config.prefix, network.vpc_id, with_balancer)
        if config.https:
            self.listener = self._https_listener(balancer, hosted_zone)
            self.url = pulumi.Output.from_input(f"https://{config.domain_name}")
        else:
            self.listener = self._http_listener(balancer, self._forward(), replaces=config.prefix)
            self.url = pulumi.Output.concat("http://", balancer.dns_name)
            pulumi.log.warn("HTTP without encryption: set domain_name and hosted_zone for HTTPS", self)
        self.canary = None
        self.target_groups = [self.target_group]
        if config.canary:
            self.canary = Canary(config, network.vpc_id, self.listener.arn, self.target_group.arn, child)
            self.target_groups.append(self.canary.target_group)
        self.register_outputs({"arn": self.arn, "dns_name": self.dns_name, "url": self.url})

    def _https_listener(self, balancer: aws.lb.LoadBalancer, hosted_zone: str | None) -> aws.lb.Listener:
        """HTTPS, port 80 redirecting to it, and the name's record where the zone is ours."""
        config = self._config
        certificate_arn: pulumi.Input[str] | None = config.certificate_arn
        first: list[pulumi.Resource] = []
        if hosted_zone:
            if certificate_arn is None:
                certificate_arn = Certificate(config, hosted_zone, pulumi.ResourceOptions(parent=self)).arn
            record = aws.route53.Record(
                config.prefix,
                zone_id=hosted_zone,
                name=config.domain_name or "",
                type="A",
                aliases=[{"name": balancer.dns_name, "zone_id": balancer.zone_id, "evaluate_target_health": True}],
                opts=self._kept,
            )
            first.append(record)
        listener = aws.lb.Listener(
            f"{config.prefix}-https",
            load_balancer_arn=balancer.arn,
            port=HTTPS,
            protocol="HTTPS",
            certificate_arn=certificate_arn,
            ssl_policy=TLS_POLICY,
            default_actions=[self._forward()],
            opts=pulumi.ResourceOptions.merge(
                self._kept, pulumi.ResourceOptions(aliases=[pulumi.Alias(name=config.prefix)])
            ),
        )
        redirect: aws.lb.ListenerDefaultActionArgsDict = {
            "type": "redirect",
            "redirect": {"protocol": "HTTPS", "port": str(HTTPS), "status_code": "HTTP_301"},
        }
        # Nobody is sent to HTTPS before it answers there.
        self._http_listener(balancer, redirect, replaces=f"{config.prefix}-redirect", after=[*first, listener])
        return listener

    def _http_listener(
        self,
        balancer: aws.lb.LoadBalancer,
        action: aws.lb.ListenerDefaultActionArgsDict,
        *,
        replaces: str,
        after: Sequence[pulumi.Resource] = (),
    ) -> aws.lb.Listener:
        """Port 80 under one name, whatever it does: two listeners cannot have one port, not even for a moment."""
        return aws.lb.Listener(
            f"{self._config.prefix}-http",
            load_balancer_arn=balancer.arn,
            port=HTTP,
            protocol="HTTP",
            default_actions=[action],
            opts=pulumi.ResourceOptions.merge(
                self._kept, pulumi.ResourceOptions(depends_on=after, aliases=[pulumi.Alias(name=replaces)])
            ),
        )

    def _forward(self) -> aws.lb.ListenerDefaultActionArgsDict:
        return {"type": "forward", "target_group_arn": self.target_group.arn}
