"""The service: how its tasks run, are replaced, and are rolled back."""

from collections.abc import Callable

from tests.stack.recording import Recording, Resource

Scenario = Callable[[str], Recording]


def service(recording: Recording) -> Resource:
    return recording.one("aws:ecs/service:Service")


def test_tasks_have_no_public_address(scenario: Scenario) -> None:
    """They run in the private subnets, behind their own security group."""
    assert service(scenario("dev")).inputs["networkConfiguration"] == {
        "subnets": ["subnet-private-0", "subnet-private-1"],
        "securityGroups": ["housing-dev-task-id"],
        "assignPublicIp": False,
    }


def test_the_task_is_as_configured(scenario: Scenario) -> None:
    """Size, roles and a volume for /tmp; old revisions stay for ECS to roll back to."""
    task = scenario("prod").one("aws:ecs/taskDefinition:TaskDefinition").inputs
    assert (task["cpu"], task["memory"]) == ("512", "1024")
    assert task["networkMode"] == "awsvpc"
    assert task["requiresCompatibilities"] == ["FARGATE"]
    assert task["executionRoleArn"].endswith("Role/housing-prod-execution")
    assert task["taskRoleArn"].endswith("Role/housing-prod-task")
    assert task["volumes"] == [{"name": "tmp"}]
    assert task["skipDestroy"] is True
    assert "pidMode" not in task


def test_a_bad_deployment_is_rolled_back(scenario: Scenario) -> None:
    """By the circuit breaker when tasks do not start, by the alarms when they start and misbehave."""
    inputs = service(scenario("dev")).inputs
    assert inputs["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert inputs["alarms"] == {
        "enable": True,
        "rollback": True,
        "alarmNames": ["housing-dev-errors", "housing-dev-latency", "housing-dev-unhealthy"],
    }
    assert "deploymentConfiguration" not in inputs


def test_a_bad_deployment_is_told(scenario: Scenario) -> None:
    """`pulumi up` waits for the steady state, longer than ECS needs to give up and roll back."""
    resource = service(scenario("dev"))
    assert resource.inputs["waitForSteadyState"] is True
    assert resource.timeouts == {"create": "20m", "update": "20m", "delete": "15m"}


def test_capacity_never_falls_in_a_deployment(scenario: Scenario) -> None:
    """New tasks come before old ones go, and are not judged while they start."""
    inputs = service(scenario("dev")).inputs
    assert (inputs["deploymentMinimumHealthyPercent"], inputs["deploymentMaximumPercent"]) == (100, 200)
    assert inputs["healthCheckGracePeriodSeconds"] >= scenario("dev").container()["healthCheck"]["startPeriod"]


def test_the_count_is_scalings(scenario: Scenario) -> None:
    """`pulumi up` does not undo what scaling did."""
    resource = service(scenario("prod"))
    assert resource.inputs["desiredCount"] == 2
    assert resource.ignore_changes == ["desiredCount"]


def test_it_comes_after_what_it_needs_and_goes_before(scenario: Scenario) -> None:
    """The listener, both roles' policies and the whole network outlive every task."""
    recording = scenario("dev")
    needed = [
        recording.one("aws:lb/listener:Listener"),
        *recording.all("aws:iam/rolePolicy:RolePolicy"),
        recording.one("awsx:ec2:Vpc"),
        *recording.all("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"),
        *recording.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"),
    ]
    assert len(needed) == 8
    assert {resource.urn for resource in needed} <= set(service(recording).depends_on)


def test_it_gets_requests_from_the_balancer(scenario: Scenario) -> None:
    """On the container's port."""
    (balancer,) = service(scenario("dev")).inputs["loadBalancers"]
    assert balancer["targetGroupArn"].endswith("TargetGroup/housing-dev")
    assert (balancer["containerName"], balancer["containerPort"]) == ("api", 8000)


def test_a_share_may_run_on_spot(scenario: Scenario) -> None:
    """One task never does; without a share all of them run on demand."""
    recording = scenario("spot-arm")
    inputs = service(recording).inputs
    assert "launchType" not in inputs
    assert inputs["capacityProviderStrategies"] == [
        {"capacityProvider": "FARGATE", "base": 1, "weight": 30},
        {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 70},
    ]
    providers = recording.one("aws:ecs/clusterCapacityProviders:ClusterCapacityProviders")
    assert providers.inputs["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert providers.urn in service(recording).depends_on
    assert service(scenario("dev")).inputs["capacityProviderStrategies"] == [
        {"capacityProvider": "FARGATE", "base": 1, "weight": 100}
    ]


def test_container_insights_are_as_configured(scenario: Scenario) -> None:
    """Off in dev, on in prod."""
    for name, value in (("dev", "disabled"), ("prod", "enabled")):
        cluster = scenario(name).one("aws:ecs/cluster:Cluster")
        assert cluster.inputs["settings"] == [{"name": "containerInsights", "value": value}]


def test_the_log_is_kept_as_configured(scenario: Scenario) -> None:
    """A week in dev, a year in prod; the container writes where the stack says."""
    for name, days in (("dev", 7), ("prod", 365)):
        recording = scenario(name)
        groups = recording.all("aws:cloudwatch/logGroup:LogGroup")
        assert [group.inputs["retentionInDays"] for group in groups] == [days, days]
        options = recording.container()["logConfiguration"]["options"]
        assert options["awslogs-group"] == f"/ecs/housing-{name}" == recording.outputs["log_group"]


def test_captured_rows_are_kept_as_configured(scenario: Scenario) -> None:
    """In a log of their own, which is an output; without captured rows there is neither."""
    recording = scenario("watched")
    (group,) = [g for g in recording.all("aws:cloudwatch/logGroup:LogGroup") if g.name.startswith("/capture/")]
    assert group.inputs["retentionInDays"] == 30
    assert [container["logConfiguration"]["options"]["awslogs-group"] for container in recording.containers()] == [
        "/ecs/housing-dev",
        "/capture/housing-dev",
    ]
    assert recording.outputs["capture_log_group"] == "/capture/housing-dev"
    assert len(scenario("dev").containers()) == 1
    assert "capture_log_group" not in scenario("dev").outputs
