"""Alarms and the dashboard."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.stack.recording import Recording, record

Scenario = Callable[[str], Recording]
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


def alarm(recording: Recording, name: str) -> dict[str, Any]:
    (found,) = [alarm for alarm in recording.all(ALARM) if alarm.name.split("-", 2)[2] == name]
    return found.inputs


def queries(recording: Recording, name: str) -> dict[str, dict[str, Any]]:
    return {query["id"]: query for query in alarm(recording, name)["metricQueries"]}


def widgets(recording: Recording) -> list[dict[str, Any]]:
    return json.loads(recording.one("aws:cloudwatch/dashboard:Dashboard").inputs["dashboardBody"])["widgets"]


def test_every_alarm_tells_the_topic(scenario: Scenario) -> None:
    """Eight alarms, each by the topic, when it begins and when it ends."""
    alarms = scenario("dev").all(ALARM)
    assert len(alarms) == 8
    topic = "arn:aws:mock:eu-central-1:123456789012:Topic/housing-dev"
    for resource in alarms:
        assert resource.inputs["alarmActions"] == resource.inputs["okActions"] == [topic]
        assert resource.inputs["actionsEnabled"] is True


def test_errors_are_a_rate(scenario: Scenario) -> None:
    """5xx of the tasks and of the balancer itself, in percent of all requests, once there are some."""
    found = queries(scenario("dev"), "errors")
    names = {id_: query["metric"]["metricName"] for id_, query in found.items() if "metric" in query}
    assert names == {
        "requests": "RequestCount",
        "answered": "HTTPCode_Target_5XX_Count",
        "own": "HTTPCode_ELB_5XX_Count",
    }
    assert found["watched"]["returnData"] is True
    assert found["watched"]["expression"].startswith("IF(FILL(requests, 0) + FILL(own, 0) >= 20, ")
    assert alarm(scenario("dev"), "errors")["threshold"] == 5


def test_latency_is_the_95th_percentile(scenario: Scenario) -> None:
    """Of the tasks' answers, over half a second."""
    found = queries(scenario("dev"), "latency")
    slow = found["slow"]["metric"]
    assert (slow["metricName"], slow["stat"]) == ("TargetResponseTime", "p95")
    assert slow["dimensions"] == {"LoadBalancer": "LoadBalancer/housing-dev"}
    assert found["watched"]["expression"] == "IF(FILL(requests, 0) >= 20, slow, 0)"
    assert alarm(scenario("dev"), "latency")["threshold"] == 0.5


@pytest.mark.parametrize(("colour", "group"), [("blue", "housing-dev"), ("green", "housing-dev-g")])
def test_a_canary_is_judged_by_its_own_requests(scenario: Scenario, colour: str, group: str) -> None:
    """Errors and latency of each target group alone, whichever has the new revision, from few requests on."""
    errors, latency = (queries(scenario("canary"), f"{colour}-{name}") for name in ("errors", "latency"))
    for found in (errors, latency):
        metrics = [query["metric"] for query in found.values() if "metric" in query]
        assert {metric["metricName"] for metric in metrics} >= {"RequestCount"}
        assert {metric["dimensions"]["TargetGroup"] for metric in metrics} == {f"TargetGroup/{group}"}
    assert errors["answered"]["metric"]["metricName"] == "HTTPCode_Target_5XX_Count"
    assert latency["slow"]["metric"]["stat"] == "p95"
    watched = scenario("canary").one("aws:ecs/service:Service").inputs["alarms"]["alarmNames"]
    assert {f"housing-dev-{colour}-errors", f"housing-dev-{colour}-latency"} <= set(watched)


@pytest.mark.parametrize(
    ("share", "failing", "rings"),
    [(5, 1.0, True), (60, 0.1, True), (60, 0.04, False), (4, 1.0, False), (0, 0.0, False)],
)
def test_a_share_of_five_requests_a_minute_is_enough(
    scenario: Scenario, share: int, failing: float, rings: bool
) -> None:
    """A canary that answers nothing but errors is seen from five requests a minute on, however busy the rest is."""
    counted = {"requests": share, "answered": round(share * failing)}
    value = evaluate(queries(scenario("canary"), "green-errors")["watched"]["expression"], counted)
    assert (value > alarm(scenario("canary"), "green-errors")["threshold"]) is rings


def test_the_whole_balancers_rate_hides_a_canary(scenario: Scenario) -> None:
    """Which is why the groups have alarms of their own: one request in thirty, all of them failing, is 3 % of all."""
    counted = {"requests": 3000, "answered": 100, "own": 0}
    value = evaluate(queries(scenario("canary"), "errors")["watched"]["expression"], counted)
    assert value < alarm(scenario("canary"), "errors")["threshold"]


def evaluate(expression: str, counted: Mapping[str, float]) -> float:
    """A metric math expression over one minute, as CloudWatch computes it; what nothing was counted of is missing."""
    names: dict[str, Any] = {name: count or math.nan for name, count in counted.items()}
    names["FILL"] = lambda value, instead: instead if math.isnan(value) else value
    names["MAX"] = max
    names["IF"] = lambda condition, then, otherwise: then if condition else otherwise
    return float(eval(expression, {"__builtins__": {}}, names))


def test_unhealthy_tasks_are_seen_in_every_target_group(scenario: Scenario) -> None:
    """A canary service has two groups, and either may be live."""
    for name, groups in (("dev", ["housing-dev"]), ("canary", ["housing-dev", "housing-dev-g"])):
        metrics = [query["metric"] for query in queries(scenario(name), "unhealthy").values() if "metric" in query]
        assert [metric["metricName"] for metric in metrics] == ["UnHealthyHostCount"] * len(groups)
        assert [metric["dimensions"]["TargetGroup"] for metric in metrics] == [f"TargetGroup/{g}" for g in groups]


def test_missing_tasks_are_seen(scenario: Scenario) -> None:
    """Against the desired count where Container Insights knows it, else against the fewest that may be desired."""
    dev, prod = queries(scenario("dev"), "tasks"), queries(scenario("prod"), "tasks")
    assert dev["missing"]["expression"] == "1 - FILL(running, 0)"
    assert (dev["running"]["metric"]["metricName"], dev["running"]["metric"]["stat"]) == (
        "CPUUtilization",
        "SampleCount",
    )
    assert prod["missing"]["expression"] == "desired - running"
    assert prod["desired"]["metric"]["metricName"] == "DesiredTaskCount"
    assert prod["running"]["metric"]["metricName"] == "RunningTaskCount"
    for found, stack in ((dev, "dev"), (prod, "prod")):
        running = found["running"]["metric"]
        assert running["dimensions"] == {"ClusterName": f"housing-{stack}", "ServiceName": f"housing-{stack}"}


@pytest.mark.parametrize(
    ("entry", "fewest", "without_data"), [(1, "1", "breaching"), (3, "2", "breaching"), (0, "0", "notBreaching")]
)
def test_the_clock_may_ask_for_fewer_tasks(models: str, entry: int, fewest: str, without_data: str) -> None:
    """One task at night is no missing task by day's minimum, and a service that sleeps reports nothing."""
    night = {"name": "night", "schedule": "cron(0 20 * * ? *)", "min_tasks": entry, "max_tasks": 4}
    settings = {"min_tasks": "2", "desired_count": "2", "schedule": json.dumps([night])}
    recording = record("dev", settings)
    assert queries(recording, "tasks")["missing"]["expression"] == f"{fewest} - FILL(running, 0)"
    assert alarm(recording, "tasks")["treatMissingData"] == without_data


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
    """Requests, latency, load, tasks, firewall and the model, without a gap or an overlap."""
    recording = scenario("unwatched")
    assert {metric[0] for widget in widgets(recording) for metric in widget["properties"]["metrics"]} == {
        "AWS/ApplicationELB",
        "AWS/ECS",
        "AWS/WAFV2",
    }
    for name, count in (("unwatched", 5), ("dev", 8), ("watched", 12)):
        found = widgets(scenario(name))
        assert len({(widget["x"], widget["y"]) for widget in found}) == len(found) == count
    assert recording.outputs["dashboard_url"].endswith("region=eu-central-1#dashboards:name=housing-dev")


MODEL_ALARMS = {"refused", "drift", "extrapolated"}


def test_the_model_rolls_nothing_back(scenario: Scenario) -> None:
    """Drift, extrapolation and refused requests tell people; a deployment neither waits for them nor ends by them."""
    for name in ("dev", "canary", "prod"):
        recording = scenario(name)
        watched = recording.one("aws:ecs/service:Service").inputs["alarms"]["alarmNames"]
        assert not [one for one in watched if one.split("-", 2)[2] in MODEL_ALARMS]
        assert {a.name.split("-", 2)[2] for a in recording.all(ALARM)} >= MODEL_ALARMS
    assert {a.name.split("-", 2)[2] for a in scenario("unwatched").all(ALARM)} & MODEL_ALARMS == {"refused"}


def test_alarms_on_the_model_take_no_data_for_good(scenario: Scenario) -> None:
    """A service that nobody asks has no drift."""
    for name in MODEL_ALARMS:
        assert alarm(scenario("dev"), name)["treatMissingData"] == "notBreaching"


@pytest.mark.parametrize(
    ("counted", "rings"),
    [
        ({"features": 0.25, "predictions": 0.01}, True),
        ({"features": 0, "predictions": 0.3}, True),
        ({"features": 0.19, "predictions": 0.19}, False),
        ({"features": 0, "predictions": 0}, False),
    ],
)
def test_drift_of_rows_or_of_predictions_rings(scenario: Scenario, counted: dict[str, float], rings: bool) -> None:
    """By the metrics that the service sends of the last hour under the stack's name, at the customary limit."""
    found = queries(scenario("dev"), "drift")
    metrics = {query["metric"]["metricName"]: query["metric"] for query in found.values() if "metric" in query}
    assert metrics.keys() == {"FeatureDrift", "PredictionDrift"}
    assert {metric["namespace"] for metric in metrics.values()} == {"ModelServing"}
    assert scenario("dev").environment()["SERVICE_NAME"] == "housing-dev"
    assert [metric["dimensions"] for metric in metrics.values()] == [{"Service": "housing-dev"}] * 2
    value = evaluate(found["watched"]["expression"], counted)
    assert (value > alarm(scenario("dev"), "drift")["threshold"]) is rings


@pytest.mark.parametrize(
    ("requests", "refused", "rings"), [(100, 30, True), (1000, 150, False), (20, 20, False), (0, 0, False)]
)
def test_refused_requests_are_a_share_of_enough(scenario: Scenario, requests: int, refused: int, rings: bool) -> None:
    """One person who tries things out does not ring, a caller whose rows the model does not take does."""
    found = queries(scenario("dev"), "refused")
    assert found["refused"]["metric"]["metricName"] == "HTTPCode_Target_4XX_Count"
    value = evaluate(found["watched"]["expression"], {"requests": requests, "refused": refused})
    assert (value > alarm(scenario("dev"), "refused")["threshold"]) is rings


def test_rows_beyond_the_training_rows_ring(scenario: Scenario) -> None:
    """One in ten, for half an hour."""
    found = alarm(scenario("dev"), "extrapolated")
    assert (found["threshold"], found["evaluationPeriods"]) == (0.1, 6)
    assert queries(scenario("dev"), "extrapolated")["share"]["metric"]["period"] == 300


def test_each_feature_is_shown_where_it_is_measured(scenario: Scenario) -> None:
    """By a search: the stack does not know what a table's features are called."""
    titles = [widget["properties"]["title"] for widget in widgets(scenario("watched"))]
    assert "FeatureDrift of each feature" in titles
    (metric,) = widgets(scenario("watched"))[titles.index("FeatureDrift of each feature")]["properties"]["metrics"]
    assert metric[0]["expression"] == (
        "SEARCH('{ModelServing,Service,Feature} Service=\"housing-dev\" MetricName=\"FeatureDrift\"', 'Average', 60)"
    )
