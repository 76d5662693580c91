"""Alarms and the dashboard."""

import json
from collections.abc import Callable
from typing import Any

from tests.stack.recording import Recording

Scenario = Callable[[str], Recording]
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


def alarm(recording: Recording, name: str) -> dict[str, Any]:
    (found,) = [alarm for alarm in recording.all(ALARM) if alarm.name.endswith(f"-{name}")]
    return found.inputs


def queries(recording: Recording, name: str) -> dict[str, dict[str, Any]]:
    return {query["id"]: query for query in alarm(recording, name)["metricQueries"]}


def test_every_alarm_tells_the_topic(scenario: Scenario) -> None:
    """Five alarms, each by the topic, when it begins and when it ends."""
    alarms = scenario("dev").all(ALARM)
    assert len(alarms) == 5
    topic = "arn:aws:mock:eu-central-1:123456789012:Topic/housing-dev"
    for resource in alarms:
        assert resource.inputs["alarmActions"] == resource.inputs["okActions"] == [topic]
        assert resource.inputs["actionsEnabled"] is True


def test_errors_are_a_rate(scenario: Scenario) -> None:
    """5xx of the tasks and of the balancer itself, in percent of all requests."""
    found = queries(scenario("dev"), "errors")
    names = {id_: query["metric"]["metricName"] for id_, query in found.items() if "metric" in query}
    assert names == {
        "requests": "RequestCount",
        "answered": "HTTPCode_Target_5XX_Count",
        "own": "HTTPCode_ELB_5XX_Count",
    }
    assert found["rate"]["returnData"] is True
    assert alarm(scenario("dev"), "errors")["threshold"] == 5


def test_latency_is_the_95th_percentile(scenario: Scenario) -> None:
    """Of the tasks' answers, over half a second."""
    latency = alarm(scenario("dev"), "latency")
    assert (latency["metricName"], latency["extendedStatistic"], latency["threshold"]) == (
        "TargetResponseTime",
        "p95",
        0.5,
    )
    assert latency["dimensions"] == {"LoadBalancer": "LoadBalancer/housing-dev"}


def test_unhealthy_tasks_are_seen_in_every_target_group(scenario: Scenario) -> None:
    """A canary service has two groups, and either may be live."""
    for name, groups in (("dev", ["housing-dev"]), ("canary", ["housing-dev", "housing-dev-g"])):
        metrics = [query["metric"] for query in queries(scenario(name), "unhealthy").values() if "metric" in query]
        assert [metric["metricName"] for metric in metrics] == ["UnHealthyHostCount"] * len(groups)
        assert [metric["dimensions"]["TargetGroup"] for metric in metrics] == [f"TargetGroup/{g}" for g in groups]


def test_missing_tasks_are_seen(scenario: Scenario) -> None:
    """Against the desired count where Container Insights knows it, else against the configured minimum."""
    dev, prod = queries(scenario("dev"), "tasks"), queries(scenario("prod"), "tasks")
    assert dev["missing"]["expression"] == "1 - FILL(running, 0)"
    assert prod["missing"]["expression"] == "desired - FILL(running, 0)"
    assert prod["desired"]["metric"]["metricName"] == "DesiredTaskCount"
    for found, stack in ((dev, "dev"), (prod, "prod")):
        running = found["running"]["metric"]
        assert (running["metricName"], running["stat"]) == ("CPUUtilization", "SampleCount")
        assert running["dimensions"] == {"ClusterName": f"housing-{stack}", "ServiceName": f"housing-{stack}"}


def test_a_busy_service_is_seen(scenario: Scenario) -> None:
    """When scaling had its time and did not help."""
    cpu = alarm(scenario("dev"), "cpu")
    assert (cpu["metricName"], cpu["threshold"], cpu["evaluationPeriods"]) == ("CPUUtilization", 90, 10)


def test_mail_is_sent_if_asked_for(scenario: Scenario) -> None:
    """`alarm_email` subscribes to the topic."""
    subscription = scenario("guarded").one("aws:sns/topicSubscription:TopicSubscription").inputs
    assert (subscription["protocol"], subscription["endpoint"]) == ("email", "ops@example.com")
    assert scenario("dev").all("aws:sns/topicSubscription:TopicSubscription") == []


def test_only_cloudwatch_publishes(scenario: Scenario) -> None:
    """And only that of this account."""
    recording = scenario("dev")
    (statement,) = recording.statements(recording.one("aws:sns/topicPolicy:TopicPolicy"))
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_one_screen_shows_how_it_is(scenario: Scenario) -> None:
    """Requests, latency, load, tasks and firewall, without a gap or an overlap."""
    recording = scenario("dev")
    widgets = json.loads(recording.one("aws:cloudwatch/dashboard:Dashboard").inputs["dashboardBody"])["widgets"]
    assert {metric[0] for widget in widgets for metric in widget["properties"]["metrics"]} == {
        "AWS/ApplicationELB",
        "AWS/ECS",
        "AWS/WAFV2",
    }
    assert len({(widget["x"], widget["y"]) for widget in widgets}) == len(widgets) == 5
    assert recording.outputs["dashboard_url"].endswith("region=eu-central-1#dashboards:name=housing-dev")
