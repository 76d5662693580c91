"""What the bill says that a stack has is what the program makes."""

from collections.abc import Callable

import pytest

from benchmarks.bill.deployments import Deployment, deployment
from tests.stack.awsx_network import deployed
from tests.stack.recording import Recording
from tests.stack.scenarios import SCENARIOS

CASES = {
    name: deployment(name, *SCENARIOS[name])
    for name in ("dev", "prod", "no-nat", "guarded", "internal", "internal-firewall", "prod-internal", "prod-closed")
}
"""By scenario, the deployment that has the same of what is billed."""


@pytest.mark.parametrize("name", CASES)
def test_the_bill_counts_what_there_is(scenario: Callable[[str], Recording], name: str) -> None:
    """NAT gateways, endpoints, addresses, rules, alarm metrics, Container Insights."""
    recording, bill = scenario(name), CASES[name]
    resources = deployed(recording)
    zones = len(recording.one("aws:lb/loadBalancer:LoadBalancer").inputs["subnets"])
    assert bill.zones == zones
    assert bill.nat_gateways == sum(resource.type == "aws:ec2/natGateway:NatGateway" for resource in resources)
    endpoints = recording.all("aws:ec2/vpcEndpoint:VpcEndpoint", vpcEndpointType="Interface")
    assert bill.endpoints == sum(len(endpoint.inputs["subnetIds"]) for endpoint in endpoints)
    balancer = recording.one("aws:lb/loadBalancer:LoadBalancer").inputs
    public = 0 if balancer["internal"] else zones
    assert bill.addresses == public + sum(resource.type == "aws:ec2/eip:Eip" for resource in resources)
    firewalls = [len(acl.inputs["rules"]) for acl in recording.all("aws:wafv2/webAcl:WebAcl")]
    assert firewalls == ([] if bill.firewall_rules is None else [bill.firewall_rules])
    assert bill.alarm_metrics == alarm_metrics(recording)
    (setting,) = recording.one("aws:ecs/cluster:Cluster").inputs["settings"]
    assert bill.insights == (setting["value"] != "disabled")
    assert len(recording.all("aws:cloudwatch/dashboard:Dashboard")) == 1


def alarm_metrics(recording: Recording) -> int:
    """Metrics that alarms watch, without those computed of others; scaling makes two alarms for each policy."""
    watched = 2 * len(recording.all("aws:appautoscaling/policy:Policy"))
    for alarm in recording.all("aws:cloudwatch/metricAlarm:MetricAlarm"):
        queries = alarm.inputs.get("metricQueries")
        watched += sum("metric" in query for query in queries) if queries else 1
    return watched


def test_tasks_are_sized_as_deployed(scenario: Callable[[str], Recording]) -> None:
    """vCPUs, memory, the fewest tasks and what scaling aims at."""
    for name in ("dev", "prod"):
        bill: Deployment = CASES[name]
        task = scenario(name).one("aws:ecs/taskDefinition:TaskDefinition").inputs
        assert (bill.vcpu * 1024, bill.memory_gb * 1024) == (int(task["cpu"]), int(task["memory"]))
        assert bill.tasks(0) == scenario(name).one("aws:appautoscaling/target:Target").inputs["minCapacity"]
        (requests,) = [
            policy.inputs["targetTrackingScalingPolicyConfiguration"]["targetValue"]
            for policy in scenario(name).all("aws:appautoscaling/policy:Policy")
            if policy.name.endswith("-requests")
        ]
        assert bill.tasks(requests / 60 * 7) == 7
