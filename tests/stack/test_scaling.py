"""Scaling: as many tasks as the load needs."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from stack.settings import capacity
from tests.stack.recording import ROOT, Recording

Scenario = Callable[[str], Recording]


def tracking(recording: Recording, name: str) -> dict[str, Any]:
    (policy,) = [policy for policy in recording.all("aws:appautoscaling/policy:Policy") if policy.name.endswith(name)]
    assert policy.inputs["policyType"] == "TargetTrackingScaling"
    return policy.inputs["targetTrackingScalingPolicyConfiguration"]


def test_the_bounds_are_configured(scenario: Scenario) -> None:
    """The target is this service's desired count."""
    target = scenario("scheduled").one("aws:appautoscaling/target:Target").inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (1, 8)
    assert target["resourceId"] == "service/housing-dev/housing-dev"
    assert target["scalableDimension"] == "ecs:service:DesiredCount"


def test_it_follows_the_cpu(scenario: Scenario) -> None:
    """With the configured aim and cooldowns."""
    assert tracking(scenario("scheduled"), "-cpu") == {
        "predefinedMetricSpecification": {"predefinedMetricType": "ECSServiceAverageCPUUtilization"},
        "targetValue": 55,
        "scaleOutCooldown": 60,
        "scaleInCooldown": 300,
    }


def test_it_follows_the_requests(scenario: Scenario) -> None:
    """Of the one target group that a rolling service has."""
    assert tracking(scenario("scheduled"), "-requests") == {
        "predefinedMetricSpecification": {
            "predefinedMetricType": "ALBRequestCountPerTarget",
            "resourceLabel": "LoadBalancer/housing-dev/TargetGroup/housing-dev",
        },
        "targetValue": 900,
        "scaleOutCooldown": 60,
        "scaleInCooldown": 300,
    }


def test_without_a_target_it_follows_what_was_measured(scenario: Scenario) -> None:
    """60 % of a quarter of a core for dev, of half a core for prod, a minute."""
    core = capacity.MEASURED_PER_SECOND * 0.6 * 60
    assert tracking(scenario("dev"), "-requests")["targetValue"] == core / 4
    assert tracking(scenario("prod"), "-requests")["targetValue"] == core / 2


@pytest.mark.parametrize("cpu", [2048, 16_384])
def test_a_task_uses_one_core(cpu: int) -> None:
    """Of more cores no more is asked: the service is one process."""
    assert capacity.requests_per_minute(cpu) == capacity.requests_per_minute(1024)


def test_what_scaling_counts_on_was_measured() -> None:
    """The figure is at most what `make bench` measured last, and at least half of it."""
    measured = json.loads((ROOT / "benchmarks" / "results.json").read_text())["stacks"]["ours"]["load"]["64"]["rps"]
    assert measured / 2 <= capacity.MEASURED_PER_SECOND <= measured, "see stack/settings/capacity.py"


def test_a_canary_service_counts_both_groups(scenario: Scenario) -> None:
    """AWS's predefined metric knows one target group only, and is refused for canary services."""
    requests = tracking(scenario("canary"), "-requests")
    assert "predefinedMetricSpecification" not in requests
    blue, green, total = requests["customizedMetricSpecification"]["metrics"]
    assert (total["expression"], total["returnData"]) == ("FILL(blue, 0) + FILL(green, 0)", True)
    for metric, group in ((blue, "housing-dev"), (green, "housing-dev-g")):
        assert metric["returnData"] is False
        assert metric["metricStat"]["metric"]["metricName"] == "RequestCountPerTarget"
        assert metric["metricStat"]["metric"]["dimensions"] == [
            {"name": "LoadBalancer", "value": "LoadBalancer/housing-dev"},
            {"name": "TargetGroup", "value": f"TargetGroup/{group}"},
        ]


def test_bounds_may_change_by_the_clock(scenario: Scenario) -> None:
    """Each entry of the schedule is an action, and what it sets is not set back; without a schedule there is none."""
    action = scenario("scheduled").one("aws:appautoscaling/scheduledAction:ScheduledAction").inputs
    assert action["schedule"] == "cron(0 20 * * ? *)"
    assert action["timezone"] == "UTC"
    assert action["scalableTargetAction"] == {"minCapacity": 1, "maxCapacity": 2}
    target = "aws:appautoscaling/target:Target"
    assert scenario("scheduled").one(target).ignore_changes == ["minCapacity", "maxCapacity"]
    assert scenario("dev").one(target).ignore_changes == []
    assert scenario("dev").all("aws:appautoscaling/scheduledAction:ScheduledAction") == []
