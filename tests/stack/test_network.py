"""The network and who may talk to whom in it."""

from collections.abc import Callable

import pulumi
import pytest

from tests.stack.recording import Recording

Scenario = Callable[[str], Recording]
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
BALANCER, TASK, ENDPOINT = "housing-dev-balancer-id", "housing-dev-task-id", "housing-dev-endpoint-id"


def rules(recording: Recording, type_: str) -> set[tuple[str, str, int, int]]:
    """Each rule as (its group, who is on the other side, first port, last port)."""
    found = recording.all(type_)
    assert all(rule.inputs["ipProtocol"] == "tcp" for rule in found)
    return {
        (
            rule.inputs["securityGroupId"],
            rule.inputs.get("cidrIpv4") or rule.inputs.get("prefixListId") or rule.inputs["referencedSecurityGroupId"],
            int(rule.inputs["fromPort"]),
            int(rule.inputs["toPort"]),
        )
        for rule in found
    }


def test_subnets_are_public_and_private_in_each_zone(scenario: Scenario) -> None:
    """Two named zones by default; a zone keeps its quarter of the network when others come and go."""
    vpc = scenario("dev").one("awsx:ec2:Vpc").inputs
    assert vpc["cidrBlock"] == "10.0.0.0/16"
    assert vpc["availabilityZoneNames"] == ["eu-central-1a", "eu-central-1b"]
    assert vpc["availabilityZoneCidrMask"] == 18
    assert vpc["subnetStrategy"] == "Auto"
    assert vpc["subnetSpecs"] == [{"type": "Private", "cidrMask": 19}, {"type": "Public", "cidrMask": 20}]
    assert vpc["enableDnsHostnames"] is True
    three = scenario("spot-arm").one("awsx:ec2:Vpc").inputs["availabilityZoneNames"]
    assert three == ["eu-central-1a", "eu-central-1b", "eu-central-1c"]


@pytest.mark.parametrize(("name", "strategy"), [("dev", "Single"), ("prod", "OnePerAz"), ("no-nat", "None")])
def test_nat_is_as_configured(scenario: Scenario, name: str, strategy: str) -> None:
    """One NAT gateway, one per zone, or none."""
    assert scenario(name).one("awsx:ec2:Vpc").inputs["natGateways"] == {"strategy": strategy}


@pytest.mark.parametrize("name", ["dev", "prod", "no-nat"])
def test_s3_has_its_gateway_always(scenario: Scenario, name: str) -> None:
    """Models and image layers never pass a NAT gateway; awsx fills in the route tables."""
    vpc = scenario(name).one("awsx:ec2:Vpc").inputs
    assert vpc["vpcEndpointStrategy"] == "Auto"
    assert vpc["vpcEndpointSpecs"] == [
        {"serviceName": "com.amazonaws.eu-central-1.s3", "vpcEndpointType": "Gateway"},
    ]


def test_subnets_give_out_no_public_address(scenario: Scenario) -> None:
    """What awsx asks for its public subnets is turned round before it reaches AWS; other resources pass unchanged."""
    (transform,) = scenario("dev").one("awsx:ec2:Vpc").transforms
    options = pulumi.ResourceOptions()

    def transformed(type_: str) -> pulumi.ResourceTransformResult | None:
        props = {"cidrBlock": "10.0.0.0/20", "mapPublicIpOnLaunch": True}
        return transform(pulumi.ResourceTransformArgs(True, type_, "public", props, options))

    result = transformed("aws:ec2/subnet:Subnet")
    assert result is not None
    assert result.props == {"cidrBlock": "10.0.0.0/20", "mapPublicIpOnLaunch": False}
    assert transformed("aws:ec2/routeTable:RouteTable") is None


def test_the_default_group_is_emptied(scenario: Scenario) -> None:
    """What forgets to name a security group reaches nothing."""
    group = scenario("dev").one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    assert group.inputs == {"vpcId": "vpc-1"}


def test_flow_logs_go_to_the_log_bucket(scenario: Scenario) -> None:
    """Refused traffic is logged, after the bucket's policy allows it."""
    log = scenario("dev").one("aws:ec2/flowLog:FlowLog")
    bucket = scenario("dev").one("aws:s3/bucket:Bucket")
    assert log.inputs["logDestinationType"] == "s3"
    assert log.inputs["logDestination"].endswith(f"/{bucket.name}")
    assert log.inputs["trafficType"] == "REJECT"
    policy = scenario("dev").one("aws:s3/bucketPolicy:BucketPolicy")
    assert policy.urn in log.depends_on
    # It takes AWS half a minute, and has no say in who may write.
    assert scenario("dev").one(LIFECYCLE).urn not in log.depends_on


def test_groups_are_a_chain(scenario: Scenario) -> None:
    """Internet to balancer, balancer to the task's port, task to AWS by HTTPS: nothing else, in or out."""
    dev = scenario("dev")
    assert rules(dev, INGRESS) == {(BALANCER, "0.0.0.0/0", 80, 80), (TASK, BALANCER, 8000, 8000)}
    assert rules(dev, EGRESS) == {(BALANCER, TASK, 8000, 8000), (TASK, "0.0.0.0/0", 443, 443)}
    groups = dev.all("aws:ec2/securityGroup:SecurityGroup")
    assert len(groups) == 2
    assert all(group.inputs.keys() == {"description", "vpcId"} for group in groups)


def test_https_opens_443(scenario: Scenario) -> None:
    """Port 80 stays open for the redirect."""
    assert rules(scenario("https"), INGRESS) == {
        (BALANCER, "0.0.0.0/0", 80, 80),
        (BALANCER, "0.0.0.0/0", 443, 443),
        (TASK, BALANCER, 8000, 8000),
    }


def test_only_the_allowed_networks_come_in(scenario: Scenario) -> None:
    """`allowed_cidrs` replaces the internet."""
    assert rules(scenario("guarded"), INGRESS) == {
        (BALANCER, "198.51.100.0/24", 80, 80),
        (BALANCER, "203.0.113.0/24", 80, 80),
        (TASK, BALANCER, 8000, 8000),
    }


def test_without_nat_nothing_leads_to_the_internet(scenario: Scenario) -> None:
    """Tasks reach the private endpoints and S3, and no other address."""
    recording = scenario("no-nat")
    assert rules(recording, INGRESS) == {
        (BALANCER, "0.0.0.0/0", 80, 80),
        (TASK, BALANCER, 8000, 8000),
        (ENDPOINT, TASK, 443, 443),
    }
    assert rules(recording, EGRESS) == {
        (BALANCER, TASK, 8000, 8000),
        (TASK, ENDPOINT, 443, 443),
        (TASK, "pl-s3", 443, 443),
    }


def test_without_nat_there_is_an_endpoint_for_all_that_a_task_calls(scenario: Scenario) -> None:
    """ECR, logs, and the secret's service where there is a secret, in each private subnet."""
    endpoints = scenario("no-nat").all("aws:ec2/vpcEndpoint:VpcEndpoint")
    names = {endpoint.inputs["serviceName"].removeprefix("com.amazonaws.eu-central-1.") for endpoint in endpoints}
    assert names == {"ecr.api", "ecr.dkr", "logs", "secretsmanager"}
    for endpoint in endpoints:
        assert endpoint.inputs["vpcEndpointType"] == "Interface"
        assert endpoint.inputs["privateDnsEnabled"] is True
        assert endpoint.inputs["subnetIds"] == ["subnet-private-0", "subnet-private-1"]
        assert endpoint.inputs["securityGroupIds"] == [ENDPOINT]
    assert scenario("dev").all("aws:ec2/vpcEndpoint:VpcEndpoint") == []


def test_prometheus_reaches_the_metrics_from_one_group(scenario: Scenario) -> None:
    """The group that is named reaches the metrics' port, and nothing else does; without one, nobody."""
    rule = (TASK, "sg-0a1b2c3d4e5f60718", 9000, 9000)
    assert rules(scenario("watched"), INGRESS) - rules(scenario("dev"), INGRESS) == {rule}
    assert rules(scenario("watched"), EGRESS) == rules(scenario("dev"), EGRESS)
