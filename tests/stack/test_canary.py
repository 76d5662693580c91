"""Canary deployments: a second target group and a rule that ECS moves traffic with."""

import json
from collections.abc import Callable

from tests.stack.recording import Recording

Scenario = Callable[[str], Recording]
RULE = "aws:lb/listenerRule:ListenerRule"
BLUE = "arn:aws:mock:eu-central-1:123456789012:TargetGroup/housing-dev"
GREEN = f"{BLUE}-g"


def test_a_share_tries_the_new_revision_first(scenario: Scenario) -> None:
    """Percent and minutes are the configured ones, as the numbers and texts that AWS's provider takes."""
    service = scenario("canary").one("aws:ecs/service:Service")
    assert service.inputs["deploymentConfiguration"] == {
        "strategy": "CANARY",
        "bakeTimeInMinutes": "7",
        "canaryConfiguration": {"canaryPercent": 20, "canaryBakeTimeInMinutes": "10"},
    }
    assert service.timeouts["update"] == "37m"


def test_alarms_alone_roll_it_back(scenario: Scenario) -> None:
    """ECS's circuit breaker knows rolling deployments only."""
    inputs = scenario("canary").one("aws:ecs/service:Service").inputs
    assert "deploymentCircuitBreaker" not in inputs
    assert inputs["alarms"]["rollback"] is True


def test_traffic_is_split_by_a_rule(scenario: Scenario) -> None:
    """All requests pass a rule between two target groups; the weights are ECS's from then on."""
    rule = scenario("canary").one(RULE)
    assert rule.inputs["conditions"] == [{"pathPattern": {"values": ["/*"]}}]
    (action,) = rule.inputs["actions"]
    assert action["forward"]["targetGroups"] == [{"arn": BLUE, "weight": 100}, {"arn": GREEN, "weight": 0}]
    assert (rule.inputs["priority"], rule.ignore_changes) == (2, ["actions"])
    groups = scenario("canary").all("aws:lb/targetGroup:TargetGroup")
    assert len(groups) == 2
    assert groups[0].inputs == groups[1].inputs


def test_the_service_knows_both_groups(scenario: Scenario) -> None:
    """And the role by which ECS may change the rule; which group is live is ECS's business."""
    recording = scenario("canary")
    service = recording.one("aws:ecs/service:Service")
    (balancer,) = service.inputs["loadBalancers"]
    assert balancer["targetGroupArn"] == BLUE
    assert balancer["advancedConfiguration"] == {
        "alternateTargetGroupArn": GREEN,
        "productionListenerRule": "arn:aws:mock:eu-central-1:123456789012:ListenerRule/housing-dev",
        "roleArn": "arn:aws:mock:eu-central-1:123456789012:Role/housing-dev-traffic",
    }
    assert service.ignore_changes == ["desiredCount", "loadBalancers"]


def test_ecs_may_move_the_traffic(scenario: Scenario) -> None:
    """By AWS's own policy for it, attached for as long as the service is there."""
    recording = scenario("canary")
    role = recording.one("aws:iam/role:Role", assumeRolePolicy=_trust("ecs.amazonaws.com"))
    assert role.name == "housing-dev-traffic"
    attachment = recording.one("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    assert attachment.inputs["policyArn"].endswith(":policy/AmazonECSInfrastructureRolePolicyForLoadBalancers")
    needed = {attachment.urn, recording.one(RULE).urn}
    assert needed <= set(recording.one("aws:ecs/service:Service").depends_on)


def test_switching_makes_another_service(scenario: Scenario) -> None:
    """The old tasks answer until the new ones have the traffic: they cannot be those of one service."""
    rolling, canary = (scenario(name).one("aws:ecs/service:Service").urn for name in ("dev", "canary"))
    assert rolling != canary


def test_the_default_path_has_none_of_it(scenario: Scenario) -> None:
    """A rolling deployment has one target group, a rule that sends everything there, and no third role."""
    recording = scenario("dev")
    (action,) = recording.one(RULE).inputs["actions"]
    assert action["forward"]["targetGroups"] == [{"arn": BLUE, "weight": 1}]
    assert recording.one(RULE).inputs["listenerArn"].endswith("Listener/housing-dev-http")
    assert len(recording.all("aws:lb/targetGroup:TargetGroup")) == 1
    assert len(recording.all("aws:iam/role:Role")) == 2


def _trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
