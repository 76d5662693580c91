"""The security controls: every one is checked over production's resources or suppressed for a written reason."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from pulumi_policy import (
    EnforcementLevel,
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from policy.rules import RULES, CompanionRule, ResourceRule, Rule
from tests.stack.awsx_network import deployed
from tests.stack.controls import CONTROLS
from tests.stack.recording import ROOT, Recording

Scenario = Callable[[str], Recording]
OPTIONS = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])
FACTS = ROOT.parent / "shared" / "aws.md"


def violations(rule: Rule, resources: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """What Pulumi would report of these resources, by the policy itself."""
    found: list[str] = []

    def report(message: str, _urn: str | None = None) -> None:
        found.append(message)

    policy = rule.policy()
    if isinstance(policy, ResourceValidationPolicy):
        for type_, props in resources:
            policy.validate(ResourceValidationArgs(type_, props, "urn", "name", OPTIONS, None), report)
    if isinstance(policy, StackValidationPolicy):
        held = [PolicyResource(type_, props, "urn", "name", OPTIONS, None, None, [], {}) for type_, props in resources]
        policy.validate(StackValidationArgs(held), report)
    return found


def checked(recording: Recording) -> list[tuple[str, dict[str, Any]]]:
    """What reaches AWS: the recorded resources, and those that awsx makes of its network."""
    return [(resource.type, resource.inputs) for resource in deployed(recording) if resource.custom]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_production_passes(scenario: Scenario, rule: Rule) -> None:
    """Every rule finds what it looks for in prod, and nothing wrong with it, rows being captured or not."""
    resources = checked(scenario("prod"))
    assert rule.type in [type_ for type_, _ in resources]
    assert violations(rule, resources) == []
    assert violations(rule, checked(scenario("prod-watched"))) == []


OTHERS = ["dev", "https", "canary", "no-nat", "image", "spot-arm", "guarded", "watched", "scheduled"]
OTHERS += [
    "existing",
    "existing-no-nat",
    "existing-endpoints",
    "internal",
    "internal-firewall",
    "prod-internal",
    "keys",
]


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_stack_passes_what_is_not_for_production_only(scenario: Scenario, name: str) -> None:
    """What is mandatory is so for dev as well; the rest is advice there."""
    resources = checked(scenario(name))
    for rule in RULES:
        assert rule.production_only or violations(rule, resources) == [], rule.name


CONTAINER = {"name": "api", "user": "10001", "readonlyRootFilesystem": True, "privileged": False}


def _task(**container: Any) -> dict[str, Any]:
    return {"containerDefinitions": json.dumps([CONTAINER | container])}


def _policy(**statement: Any) -> dict[str, Any]:
    return {"policy": json.dumps({"Statement": [{"Effect": "Allow", "Action": "a:B", "Resource": "r"} | statement]})}


REFUSED: dict[str, dict[str, Any]] = {
    "default-group-empty": {"ingress": [{"fromPort": 22}]},
    "no-public-ip-on-launch": {"mapPublicIpOnLaunch": True},
    "ingress": {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0"},
    "egress": {"ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"},
    "rules-apart": {"egress": [{"protocol": "-1", "cidrBlocks": ["0.0.0.0/0"]}]},
    "https": {"protocol": "HTTP", "defaultActions": [{"type": "forward"}]},
    "tls-policy": {"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-2016-08"},
    "invalid-headers": {"dropInvalidHeaderFields": False},
    "access-log": {"accessLogs": {"bucket": "logs", "enabled": False}},
    "deletion-protection": {"enableDeletionProtection": False},
    "desync": {"desyncMitigationMode": "monitor"},
    "two-zones": {"subnets": ["subnet-1"]},
    "task-address": {"networkConfiguration": {"assignPublicIp": True}},
    "platform-version": {"platformVersion": "1.3.0"},
    "host-processes": {"pidMode": "host"},
    "network-mode": {"networkMode": "host"},
    "task-platform": {"runtimePlatform": {"cpuArchitecture": "ARM64"}},
    "privileges": _task(privileged=True),
    "read-only": _task(readonlyRootFilesystem=False),
    "plain-secrets": _task(environment=[{"name": "AWS_SECRET_ACCESS_KEY", "value": "s"}]),
    "container-log": _task(),
    "user": _task(user="root"),
    "insights": {"settings": [{"name": "containerInsights", "value": "disabled"}]},
    "scan": {"imageScanningConfiguration": {"scanOnPush": False}},
    "immutable-tags": {"imageTagMutability": "MUTABLE"},
    "named-actions": _policy(Action="s3:*"),
    "bucket-block-whole": {"blockPublicAcls": True, "blockPublicPolicy": True, "ignorePublicAcls": True},
    "bucket-tls": _policy(),
    "bucket-acls": {"rule": {"objectOwnership": "ObjectWriter"}},
    "firewall-rules": {"rules": []},
    "firewall-metrics": {"visibilityConfig": {"cloudwatchMetricsEnabled": False}},
    "alarm-actions": {"actionsEnabled": True, "alarmActions": []},
    "log-retention": {"retentionInDays": 7},
    "topic-policy": _policy(Principal="*"),
    "certificate-renewal": {"validationMethod": "EMAIL"},
    "certificate-key": {"keyAlgorithm": "RSA_1024"},
}
"""For each rule over one resource, properties that it must refuse; the other rules refuse a resource left alone."""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_refuses_something(rule: Rule) -> None:
    """A rule that nothing can break guards nothing."""
    found = violations(rule, [(rule.type, REFUSED[rule.name] if isinstance(rule, ResourceRule) else {})])
    assert len(found) == 1
    assert found[0].startswith(", ".join(rule.controls))


def test_a_public_balancer_without_a_firewall_is_refused(scenario: Scenario) -> None:
    """Whoever sets `firewall: false` for one does it against the policy pack; an internal one needs none."""
    (rule,) = [rule for rule in RULES if rule.name == "firewall"]
    assert violations(rule, checked(scenario("open"))) == [
        "ELB.16: A load balancer that the internet reaches has a web ACL before it"
    ]
    assert violations(rule, checked(scenario("internal"))) == []


def test_no_role_may_do_things_to_everything() -> None:
    """Besides wildcards in actions, those in resources are refused, but for the one action that has no resource."""
    (rule,) = [rule for rule in RULES if rule.name == "named-actions"]
    assert violations(rule, [(rule.type, _policy(Action="kms:Decrypt", Resource="*"))])
    assert not violations(rule, [(rule.type, _policy(Action="ecr:GetAuthorizationToken", Resource="*"))])


def test_every_control_is_checked_or_explained() -> None:
    """The table and the rules agree on what is checked; the rest has a reason that is a sentence."""
    checked = {control for rule in RULES for control in rule.controls}
    assert {control for control, answer in CONTROLS.items() if answer == "rule"} == checked
    reasons = {control: answer for control, answer in CONTROLS.items() if answer != "rule"}
    for control, reason in reasons.items():
        assert reason.endswith("."), control
        referred = re.match(r"As ([A-Z]+\w*\.\d+)", reason)
        assert referred is None or referred[1] in reasons, control


def test_no_control_is_forgotten() -> None:
    """The table names every control of the list that it was written from."""
    if not FACTS.exists():
        pytest.skip(f"the list of controls is not at {FACTS}; it is no part of this repository")
    table = FACTS.read_text().split("## Security controls")[1].split("\n## ")[0]
    listed: set[str] = set()
    for service, numbers in re.findall(
        r"\b(EC2|ELB|ECS|ECR|IAM|KMS|S3|WAF|CloudWatch|SNS|ACM|Route53|Inspector|GuardDuty)((?:\.\d+(?:[/\u2013]\.?\d+)*)+)",
        table,
    ):
        for number in re.findall(r"\d+(?:\u2013\d+)?", numbers):
            first, _, last = number.partition("\u2013")
            listed |= {f"{service}.{n}" for n in range(int(first), int(last or first) + 1)}
    assert len(listed) > 60
    assert listed <= CONTROLS.keys()


def test_the_pack_is_complete() -> None:
    """Each rule is a policy of its own name; only what costs money is advice outside production."""
    policies = [rule.policy() for rule in RULES]
    assert len({policy.name for policy in policies}) == len(RULES)
    advice = {policy.name for policy in policies if policy.enforcement_level == EnforcementLevel.ADVISORY}
    assert advice == {"https", "deletion-protection", "insights", "log-retention"}
    assert {rule.name for rule in RULES if isinstance(rule, ResourceRule)} == REFUSED.keys()
    assert len([rule for rule in RULES if isinstance(rule, CompanionRule)]) == 9
