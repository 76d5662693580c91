"""The security rules: what each control demands of one resource, or of what a stack holds beside it."""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

Props = Mapping[str, Any]
Check = Callable[[Props], Iterator[str]]

ANYWHERE = ("0.0.0.0/0", "::/0")
TLS_POLICIES = (
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
)
SECRET_NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "ECS_ENGINE_AUTH_DATA", "API_KEYS")


@dataclasses.dataclass(frozen=True)
class ResourceRule:
    """What one resource of a type must look like."""

    name: str
    controls: tuple[str, ...]
    """Ids of the controls that the rule covers."""
    demand: str
    type: str
    check: Check
    """Yields what is wrong."""
    production_only: bool = False
    """Advice elsewhere: what it demands costs money or comfort that a throw-away stack does without."""

    def policy(self) -> Policy:
        """The rule as Pulumi runs it."""

        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            if args.resource_type == self.type:
                for problem in self.check(args.props):
                    report(f"{', '.join(self.controls)}: {problem}", args.urn)

        return ResourceValidationPolicy(self.name, self.demand, validate, _level(self.production_only))


@dataclasses.dataclass(frozen=True)
class CompanionRule:
    """What a stack must hold, once for each resource of a type."""

    name: str
    controls: tuple[str, ...]
    demand: str
    type: str
    companion: str
    needs: Callable[[Props], bool] = lambda _props: True
    """Which resources of the type need one."""
    production_only: bool = False

    def policy(self) -> Policy:
        """The rule as Pulumi runs it."""

        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            held = [resource.resource_type for resource in args.resources]
            asking = [one for one in args.resources if one.resource_type == self.type and self.needs(one.props)]
            if held.count(self.companion) < len(asking):
                report(f"{', '.join(self.controls)}: {self.demand}", None)

        return StackValidationPolicy(self.name, self.demand, validate, _level(self.production_only))


Rule = ResourceRule | CompanionRule


def _level(production_only: bool) -> EnforcementLevel:
    return EnforcementLevel.ADVISORY if production_only else EnforcementLevel.MANDATORY


def _equals(key: str, *allowed: Any) -> Check:
    """The property must have one of these values; unset is none of them."""

    def check(props: Props) -> Iterator[str]:
        if props.get(key) not in allowed:
            yield f"{key} is {props.get(key)!r}, not {' or '.join(map(repr, allowed))}"

    return check


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _no_rules(props: Props) -> Iterator[str]:
    for key in ("ingress", "egress"):
        if props.get(key):
            yield f"{key} rules let traffic through"


def _ingress(props: Props) -> Iterator[str]:
    if props.get("cidrIpv4") in ANYWHERE or props.get("cidrIpv6") in ANYWHERE:
        ports = (props.get("fromPort"), props.get("toPort"))
        if props.get("ipProtocol") != "tcp" or ports not in ((80, 80), (443, 443)):
            yield f"everybody may connect to ports {ports[0]} to {ports[1]}, not only to 80 or 443"


def _egress(props: Props) -> Iterator[str]:
    if props.get("cidrIpv4") in ANYWHERE or props.get("cidrIpv6") in ANYWHERE:
        ports = (props.get("fromPort"), props.get("toPort"))
        if props.get("ipProtocol") != "tcp" or ports != (443, 443):
            yield f"connects to everybody's ports {ports[0]} to {ports[1]}, not only to 443"


def _access_logs(props: Props) -> Iterator[str]:
    if not (props.get("accessLogs") or {}).get("enabled"):
        yield "writes no access log"


def _two_zones(props: Props) -> Iterator[str]:
    if len(props.get("subnets") or []) < 2:
        yield "lies in fewer than two availability zones"


def _encrypted_listener(props: Props) -> Iterator[str]:
    actions = [action["type"] for action in props.get("defaultActions") or []]
    if props.get("protocol") != "HTTPS" and actions != ["redirect"]:
        yield "takes requests without encryption"


def _tls_policy(props: Props) -> Iterator[str]:
    if props.get("protocol") == "HTTPS":
        yield from _equals("sslPolicy", *TLS_POLICIES)(props)


def _no_public_address(props: Props) -> Iterator[str]:
    if (props.get("networkConfiguration") or {}).get("assignPublicIp") is not False:
        yield "gives its tasks public addresses"


def _containers(check: Check) -> Check:
    """Every container of a task definition must pass."""

    def each(props: Props) -> Iterator[str]:
        for container in json.loads(props["containerDefinitions"]):
            for problem in check(container):
                yield f"container {container.get('name')!r}: {problem}"

    return each


def _logged(container: Props) -> Iterator[str]:
    if not (container.get("logConfiguration") or {}).get("logDriver"):
        yield "has no logConfiguration"


def _ordinary_user(container: Props) -> Iterator[str]:
    user = str(container.get("user") or "root").partition(":")[0]
    if user in ("root", "0"):
        yield "runs as root"


def _no_secrets(container: Props) -> Iterator[str]:
    for variable in container.get("environment") or []:
        if variable["name"] in SECRET_NAMES:
            yield f"has {variable['name']} in its environment"


def _unprivileged(container: Props) -> Iterator[str]:
    if container.get("privileged") is not False:
        yield "does not rule out privileges"


def _linux(props: Props) -> Iterator[str]:
    if (props.get("runtimePlatform") or {}).get("operatingSystemFamily") != "LINUX":
        yield "does not name Linux as its platform"


def _host_processes(props: Props) -> Iterator[str]:
    if props.get("pidMode") == "host":
        yield "shares the host's processes"


def _insights(props: Props) -> Iterator[str]:
    settings = {setting["name"]: setting["value"] for setting in props.get("settings") or []}
    if settings.get("containerInsights") not in ("enabled", "enhanced"):
        yield "has no Container Insights"


def _scanned(props: Props) -> Iterator[str]:
    if not (props.get("imageScanningConfiguration") or {}).get("scanOnPush"):
        yield "does not scan images when they are pushed"


def _named_actions(props: Props) -> Iterator[str]:
    for statement in _listed(json.loads(props["policy"])["Statement"]):
        if statement["Effect"] != "Allow":
            continue
        for action in _listed(statement["Action"]):
            if "*" in action:
                yield f"allows {action}"
        # The one action that AWS knows no resource for.
        if "*" in _listed(statement["Resource"]) and statement["Action"] != "ecr:GetAuthorizationToken":
            yield f"allows {statement['Action']} on everything"


def _nothing_public(props: Props) -> Iterator[str]:
    for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"):
        yield from _equals(key, True)(props)


def _tls_only(props: Props) -> Iterator[str]:
    for statement in json.loads(props["policy"])["Statement"]:
        condition = statement.get("Condition", {}).get("Bool", {})
        if statement["Effect"] == "Deny" and condition.get("aws:SecureTransport") == "false":
            return
    yield "does not refuse requests without TLS"


def _no_acls(props: Props) -> Iterator[str]:
    yield from _equals("objectOwnership", "BucketOwnerEnforced")(props.get("rule") or {})


def _any_rule(props: Props) -> Iterator[str]:
    if not props.get("rules"):
        yield "has no rules"


def _measured(props: Props) -> Iterator[str]:
    for part in (props, *(props.get("rules") or [])):
        if not (part.get("visibilityConfig") or {}).get("cloudwatchMetricsEnabled"):
            yield f"{part.get('name') or 'the web ACL'} has no metrics"


def _alarm_acts(props: Props) -> Iterator[str]:
    if not props.get("alarmActions"):
        yield "tells nobody"
    yield from _equals("actionsEnabled", True)(props)


def _kept_a_year(props: Props) -> Iterator[str]:
    if str(props.get("namePrefix")).startswith("/capture/"):
        return  # rows that people sent, and no log of what happened: kept no longer than asked for
    if (props.get("retentionInDays") or 0) < 365:
        yield f"keeps logs for {props.get('retentionInDays')} days, not 365"


def _not_public(props: Props) -> Iterator[str]:
    for statement in json.loads(props["policy"])["Statement"]:
        if statement["Effect"] == "Allow" and statement["Principal"] in ("*", {"AWS": "*"}):
            yield f"everybody may {statement['Action']}"


_BUCKET = "aws:s3/bucket:Bucket"
_LISTENER = "aws:lb/listener:Listener"
_BALANCER = "aws:lb/loadBalancer:LoadBalancer"
_SERVICE = "aws:ecs/service:Service"
_TASK = "aws:ecs/taskDefinition:TaskDefinition"
_REPOSITORY = "aws:ecr/repository:Repository"
_ACL = "aws:wafv2/webAcl:WebAcl"
_CERTIFICATE = "aws:acm/certificate:Certificate"
_VPC = "aws:ec2/vpc:Vpc"

RULES: list[Rule] = [
    CompanionRule(
        "default-group-taken", ("EC2.2",), "A VPC's default security group is emptied",
        _VPC, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    ),
    ResourceRule(
        "default-group-empty", ("EC2.2",), "The default security group has no rules",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", _no_rules,
    ),
    CompanionRule("flow-log", ("EC2.6",), "A VPC has a flow log", _VPC, "aws:ec2/flowLog:FlowLog"),
    ResourceRule(
        "no-public-ip-on-launch", ("EC2.15",), "A subnet gives out no public addresses",
        "aws:ec2/subnet:Subnet", _equals("mapPublicIpOnLaunch", False),
    ),
    ResourceRule(
        "ingress", ("EC2.18", "EC2.19", "EC2.53", "EC2.54"), "Everybody reaches ports 80 and 443 at most",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", _ingress,
    ),
    ResourceRule(
        "egress", (), "Only HTTPS goes out to everybody",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", _egress,
    ),
    ResourceRule(
        "rules-apart", (), "A security group has its rules as resources of their own, where the other rules see them",
        "aws:ec2/securityGroup:SecurityGroup", _no_rules,
    ),
    ResourceRule(
        "https", ("ELB.1", "ELB.18"), "A listener encrypts, or redirects to one that does",
        _LISTENER, _encrypted_listener, production_only=True,
    ),
    ResourceRule("tls-policy", ("ELB.17",), "HTTPS uses a current TLS policy", _LISTENER, _tls_policy),
    ResourceRule(
        "invalid-headers", ("ELB.4",), "The load balancer drops invalid headers",
        _BALANCER, _equals("dropInvalidHeaderFields", True),
    ),
    ResourceRule("access-log", ("ELB.5",), "The load balancer writes an access log", _BALANCER, _access_logs),
    ResourceRule(
        "deletion-protection", ("ELB.6",), "The load balancer cannot be deleted by mistake",
        _BALANCER, _equals("enableDeletionProtection", True), production_only=True,
    ),
    ResourceRule(
        "desync", ("ELB.12",), "The load balancer refuses ambiguous requests",
        _BALANCER, _equals("desyncMitigationMode", "defensive", "strictest"),
    ),
    ResourceRule("two-zones", ("ELB.13",), "The load balancer survives a zone", _BALANCER, _two_zones),
    CompanionRule(
        "firewall", ("ELB.16",), "A load balancer that the internet reaches has a web ACL before it",
        _BALANCER, "aws:wafv2/webAclAssociation:WebAclAssociation", lambda props: not props.get("internal"),
    ),
    ResourceRule("task-address", ("ECS.2",), "Tasks have no public address", _SERVICE, _no_public_address),
    ResourceRule(
        "platform-version", ("ECS.10",), "Tasks run on the latest platform version",
        _SERVICE, _equals("platformVersion", "LATEST", None),
    ),
    ResourceRule("host-processes", ("ECS.3",), "Tasks have processes of their own", _TASK, _host_processes),
    ResourceRule(
        "network-mode", ("ECS.17",), "Tasks have a network interface of their own",
        _TASK, _equals("networkMode", "awsvpc"),
    ),
    ResourceRule("task-platform", ("ECS.21",), "Tasks name Linux as their platform", _TASK, _linux),
    ResourceRule("privileges", ("ECS.4",), "Containers have no privileges", _TASK, _containers(_unprivileged)),
    ResourceRule(
        "read-only", ("ECS.5",), "Containers have a read-only root file system",
        _TASK, _containers(_equals("readonlyRootFilesystem", True)),
    ),
    ResourceRule("plain-secrets", ("ECS.8",), "No secret is in an environment", _TASK, _containers(_no_secrets)),
    ResourceRule("container-log", ("ECS.9",), "Containers write a log", _TASK, _containers(_logged)),
    ResourceRule("user", ("ECS.20",), "Containers run as an ordinary user", _TASK, _containers(_ordinary_user)),
    ResourceRule(
        "insights", ("ECS.12",), "The cluster has Container Insights",
        "aws:ecs/cluster:Cluster", _insights, production_only=True,
    ),
    ResourceRule("scan", ("ECR.1",), "Images are scanned when pushed", _REPOSITORY, _scanned),
    ResourceRule(
        "immutable-tags", ("ECR.2",), "A tag names one image for ever",
        _REPOSITORY, _equals("imageTagMutability", "IMMUTABLE"),
    ),
    CompanionRule(
        "image-lifecycle", ("ECR.3",), "A repository has a lifecycle policy",
        _REPOSITORY, "aws:ecr/lifecyclePolicy:LifecyclePolicy",
    ),
    ResourceRule(
        "named-actions", ("IAM.1", "IAM.21", "KMS.1", "KMS.2"), "A role may do named things to named resources",
        "aws:iam/rolePolicy:RolePolicy", _named_actions,
    ),
    CompanionRule(
        "bucket-block", ("S3.1", "S3.2", "S3.3", "S3.8"), "A bucket blocks public access",
        _BUCKET, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    ),
    ResourceRule(
        "bucket-block-whole", ("S3.1", "S3.2", "S3.3", "S3.8"), "Public access is blocked in all four ways",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", _nothing_public,
    ),
    CompanionRule(
        "bucket-policy", ("S3.5",), "A bucket has a policy", _BUCKET, "aws:s3/bucketPolicy:BucketPolicy"
    ),
    ResourceRule(
        "bucket-tls", ("S3.5",), "A bucket refuses requests without TLS",
        "aws:s3/bucketPolicy:BucketPolicy", _tls_only,
    ),
    CompanionRule(
        "bucket-ownership", ("S3.12",), "A bucket has an owner for its objects",
        _BUCKET, "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    ),
    ResourceRule(
        "bucket-acls", ("S3.12",), "A bucket uses no access control lists",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls", _no_acls,
    ),
    CompanionRule(
        "bucket-lifecycle", ("S3.13",), "A bucket has a lifecycle configuration",
        _BUCKET, "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    ),
    ResourceRule("firewall-rules", ("WAF.10",), "A web ACL has rules", _ACL, _any_rule),
    CompanionRule(
        "firewall-log", ("WAF.11",), "A web ACL writes a log",
        _ACL, "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
    ),
    ResourceRule("firewall-metrics", ("WAF.12",), "A web ACL and its rules have metrics", _ACL, _measured),
    ResourceRule(
        "alarm-actions", ("CloudWatch.15", "CloudWatch.17"), "An alarm tells somebody",
        "aws:cloudwatch/metricAlarm:MetricAlarm", _alarm_acts,
    ),
    ResourceRule(
        "log-retention", ("CloudWatch.16",), "Logs are kept for a year",
        "aws:cloudwatch/logGroup:LogGroup", _kept_a_year, production_only=True,
    ),
    ResourceRule(
        "topic-policy", ("SNS.4",), "A topic is not public", "aws:sns/topicPolicy:TopicPolicy", _not_public
    ),
    ResourceRule(
        "certificate-renewal", ("ACM.1",), "AWS can renew a certificate by itself",
        _CERTIFICATE, _equals("validationMethod", "DNS"),
    ),
    ResourceRule(
        "certificate-key", ("ACM.2",), "A certificate's key is strong",
        _CERTIFICATE, _equals("keyAlgorithm", "RSA_2048", "EC_prime256v1"),
    ),
]  # fmt: skip
"""Every rule, run by Pulumi over a deployment and by the tests over the recorded resources."""
