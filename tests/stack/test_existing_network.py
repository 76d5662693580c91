"""Deployed into a network that is there: what it must be like, what is made in it, and that it is left as it was."""

import dataclasses
import json
from collections.abc import Callable

import pytest

from stack.network.existing_network import find_network
from stack.network.found_network import Endpoint, FoundNetwork, Route, Subnet
from stack.network.network_rules import problems
from stack.settings.loading import ConfigError, parse
from tests.stack import networks
from tests.stack.networks import (
    CALLERS,
    CLOSED,
    CLOSED_PRIVATE,
    ENDPOINTS,
    ISOLATED,
    PRIVATE,
    PUBLIC,
    TURNED,
    TURNED_PRIVATE,
    VPC,
)
from tests.stack.published import REGION
from tests.stack.recording import Recording, record
from tests.stack.scenarios import SCENARIOS, THERE
from tests.stack.test_network import EGRESS, INGRESS, rules

Scenario = Callable[[str], Recording]
BALANCER, TASK, ENDPOINT = "housing-dev-balancer-id", "housing-dev-task-id", "housing-dev-endpoint-id"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
VPC_ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"

OUT = Route("0.0.0.0/0", "nat-1", works=True)
OPEN = Route("0.0.0.0/0", "igw-1", works=True)
GONE = Route("0.0.0.0/0", "nat-1", works=False)
NETWORK = FoundNetwork(
    id=VPC,
    cidrs=("10.0.0.0/16",),
    names=True,
    subnets={
        id_: Subnet(id_, zone, f"10.0.{number}.0/24", 200, "rtb-out" if id_ in PRIVATE else "rtb-open", False)
        for number, (id_, zone) in enumerate(zip((*PRIVATE, *PUBLIC), "abab", strict=True))
    },
    routes={"rtb-out": (OUT,), "rtb-open": (OPEN,)},
    endpoints=(),
    groups={CALLERS: ()},
)
"""A network that is as it should be."""
SERVED = tuple(
    Endpoint(f"vpce-{name}", f"com.amazonaws.{REGION}.{name}", True, True, (), (ENDPOINTS,))
    for name in ("ecr.api", "ecr.dkr", "logs")
)
S3 = Endpoint("vpce-s3", f"com.amazonaws.{REGION}.s3", True, False, ("rtb-out",), ())
READY = dataclasses.replace(NETWORK, endpoints=(*SERVED, S3), groups={ENDPOINTS: ("10.0.0.0/16",)})
CLOSED_OFF = {"nat": "none"}
USING = {"nat": "none", "endpoints": "present"}


def found(network: FoundNetwork, **settings: str) -> list[str]:
    config = parse({"model_bucket": "models", **THERE, **settings}, stack="dev", region=REGION)
    return list(problems(config, network))


def with_subnet(id_: str, **changed: object) -> FoundNetwork:
    subnet = dataclasses.replace(NETWORK.subnets[id_], **changed)
    return dataclasses.replace(NETWORK, subnets={**NETWORK.subnets, id_: subnet})


def routed(table: str, *routes: Route) -> FoundNetwork:
    return dataclasses.replace(NETWORK, routes={**NETWORK.routes, table: routes})


def ready(*endpoints: Endpoint, **changed: object) -> FoundNetwork:
    return dataclasses.replace(READY, endpoints=endpoints or READY.endpoints, **changed)


def test_a_network_as_it_should_be_has_no_problems() -> None:
    """With a way out, with endpoints that are to be made, and with endpoints that are there."""
    assert found(NETWORK) == found(NETWORK, **CLOSED_OFF) == found(READY, **USING) == []


@pytest.mark.parametrize(
    ("network", "settings", "said"),
    [
        (
            dataclasses.replace(NETWORK, subnets={id_: NETWORK.subnets[id_] for id_ in (*PRIVATE, PUBLIC[0])}),
            {},
            f"public_subnet_ids: {VPC} has no subnet {PUBLIC[1]}; it has {PRIVATE[0]} (a), {PRIVATE[1]} (b), ",
        ),
        (
            with_subnet(PRIVATE[1], zone="a"),
            {},
            f"private_subnet_ids: {PRIVATE[0]} and {PRIVATE[1]} both lie in a; name one subnet in each availability",
        ),
        (
            NETWORK,
            {"private_subnet_ids": json.dumps(PRIVATE[:1])},
            "private_subnet_ids: all lie in a; name subnets in two or more availability zones",
        ),
        (
            with_subnet(PRIVATE[1], zone="c"),
            {},
            f"private_subnet_ids: {PRIVATE[1]} lies in c, where public_subnet_ids has none: the load balancer would",
        ),
        (
            with_subnet(PRIVATE[0], cidr=""),
            {},
            f"private_subnet_ids: {PRIVATE[0]} has no IPv4 addresses; name a subnet that has",
        ),
        (
            with_subnet(PUBLIC[0], free=7),
            {},
            f"public_subnet_ids: {PUBLIC[0]} has 7 free addresses; a load balancer needs 8",
        ),
        (
            with_subnet(PRIVATE[0], free=7),
            {"internal": "true", "public_subnet_ids": "[]"},
            f"private_subnet_ids: {PRIVATE[0]} has 7 free addresses; a load balancer needs 8",
        ),
        (
            routed("rtb-open", OUT),
            {},
            f"public_subnet_ids: {PUBLIC[0]} has no route to an internet gateway; name a public subnet",
        ),
        (
            routed("rtb-out"),
            {},
            f"private_subnet_ids: {PRIVATE[0]} has no default route, so tasks reach no AWS service; name a subnet",
        ),
        (
            routed("rtb-out", OPEN),
            {},
            f"private_subnet_ids: {PRIVATE[0]} leads out through an internet gateway, which tasks, having no public",
        ),
        (
            routed("rtb-out", GONE),
            {},
            f"private_subnet_ids: the default route of {PRIVATE[0]} leads to nat-1, which is gone",
        ),
        (
            dataclasses.replace(NETWORK, names=False),
            CLOSED_OFF,
            f"{VPC}: switch DNS support and DNS host names on, or tasks do not find the private endpoints",
        ),
        (
            ready(),
            CLOSED_OFF,
            f"endpoints = 'create': {VPC} has vpce-ecr.api for ecr.api, vpce-ecr.dkr for ecr.dkr, vpce-logs for logs",
        ),
        (
            ready(*SERVED[1:], S3),
            USING,
            f"endpoints = 'present': {VPC} has no endpoint for ecr.api",
        ),
        (
            ready(dataclasses.replace(SERVED[0], private_dns=False), *SERVED[1:], S3),
            USING,
            "endpoints = 'present': vpce-ecr.api for ecr.api must be available and have private DNS",
        ),
        (
            ready(dataclasses.replace(SERVED[0], works=False), *SERVED[1:], S3),
            USING,
            "endpoints = 'present': vpce-ecr.api for ecr.api must be available and have private DNS",
        ),
        (
            ready(),
            {**USING, "api_keys_secret": f"arn:aws:secretsmanager:{REGION}:123456789012:secret:keys"},
            f"endpoints = 'present': {VPC} has no endpoint for secretsmanager",
        ),
        (
            ready(*SERVED),
            USING,
            "endpoints = 'present': route table rtb-out leads to no gateway endpoint for S3",
        ),
        (
            ready(groups={ENDPOINTS: ("10.0.0.0/24", "::/0")}),
            USING,
            f"endpoints = 'present': the security groups of vpce-ecr.api ({ENDPOINTS}) let no HTTPS in from 10.0.1.0",
        ),
        (
            dataclasses.replace(NETWORK, groups={}),
            {"internal": "true", "public_subnet_ids": "[]", "allowed_security_groups": json.dumps([CALLERS])},
            f"allowed_security_groups: there is no security group {CALLERS} in {REGION}",
        ),
    ],
)
def test_a_network_that_does_not_fit_is_told_why(network: FoundNetwork, settings: dict[str, str], said: str) -> None:
    """What would fail half way through a deployment, or let it succeed and never serve."""
    assert found(network, **settings)[0].startswith(said)


def test_a_subnet_that_the_balancer_is_in_may_be_full() -> None:
    """It has its addresses, and a rollout must not fail because others took the rest."""
    assert found(with_subnet(PUBLIC[0], free=0, has_balancer=True)) == []


def test_a_gateway_that_is_there_is_used(models: str) -> None:
    """Two routes to S3 in one table are refused by AWS; the rest of the endpoints is made all the same."""
    ec2 = networks.client()
    networks.turn(ec2, present=False)
    settings = {"vpc_id": TURNED, "private_subnet_ids": json.dumps(TURNED_PRIVATE), "internal": "true", **CLOSED_OFF}
    made = record("dev", settings).all(VPC_ENDPOINT, vpcEndpointType="Gateway")
    assert [endpoint.inputs["routeTableIds"] for endpoint in made] == [[networks.main_table(ec2, TURNED)]]
    gateway = networks.gateway_endpoint(ec2, TURNED, [networks.main_table(ec2, TURNED)])
    endpoints = record("dev", settings).all(VPC_ENDPOINT)
    assert {endpoint.inputs["vpcEndpointType"] for endpoint in endpoints} == {"Interface"}
    # The stack's own, by its tags, is not taken for theirs: it would be deleted as no longer needed.
    tags = {"Project": "california-housing-api", "Stack": "dev", "ManagedBy": "pulumi"}
    ec2.create_tags(Resources=[gateway], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    assert len(record("dev", settings).all(VPC_ENDPOINT, vpcEndpointType="Gateway")) == 1
    ec2.delete_vpc_endpoints(VpcEndpointIds=[gateway])


def test_a_network_is_looked_up(models: str) -> None:
    """Subnets by the route table that holds for them, their own or the main one; endpoints with their groups."""
    config = parse({"model_bucket": "models", **THERE}, stack="dev", region=REGION)
    network = find_network(config)
    assert network is not None
    assert network.cidrs == ("10.20.0.0/16",)
    assert [network.subnets[id_].zone for id_ in PRIVATE] == [f"{REGION}a", f"{REGION}b"]
    (out,) = [route for route in network.routes[network.subnets[PRIVATE[0]].table] if route.destination == "0.0.0.0/0"]
    assert out.target.startswith("nat-")
    _, settings = SCENARIOS["existing-endpoints"]
    closed = find_network(parse({"model_bucket": "models", **settings}, stack="dev", region=REGION))
    assert closed is not None
    assert {endpoint.service.rpartition(f"{REGION}.")[2] for endpoint in closed.endpoints} == {
        "ecr.api", "ecr.dkr", "logs", "s3",
    }  # fmt: skip
    assert closed.groups == {ENDPOINTS: ("10.30.0.0/16",)}
    assert {closed.subnets[id_].table for id_ in CLOSED_PRIVATE} == {networks.main_table(networks.client(), CLOSED)}


def test_the_balancers_own_subnets_are_known(models: str) -> None:
    """By the description that AWS gives a load balancer's interfaces."""
    ec2 = networks.client()
    config = parse({"model_bucket": "models", **THERE}, stack="dev", region=REGION)
    for name, known in (("housing-prod-1a2b3c4", False), ("housing-dev-1a2b3c4", True)):
        ec2.create_network_interface(SubnetId=PUBLIC[0], Description=f"ELB app/{name}/50dc6c495c0c9188")
        network = find_network(config)
        assert network is not None
        assert network.subnets[PUBLIC[0]].has_balancer == known
        assert not network.subnets[PUBLIC[1]].has_balancer


def test_a_network_that_is_not_there_is_named(models: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With those that are; and what cannot be looked up is one line, too."""
    config = parse({"model_bucket": "models", **THERE, "vpc_id": "vpc-0bad"}, stack="dev", region=REGION)
    with pytest.raises(ConfigError, match=rf"vpc_id = 'vpc-0bad': there is no such network in .*{VPC}"):
        find_network(config)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(ConfigError, match="vpc_id = 'vpc-0bad': cannot be looked up: Could not connect"):
        find_network(config)


def test_the_program_stops_with_every_reason(models: str) -> None:
    """Before anything is registered; nobody has to come back for each."""
    settings = {**THERE, "private_subnet_ids": json.dumps([ISOLATED[0], "subnet-0bad"])}
    with pytest.raises(ConfigError) as error:
        record("dev", settings)
    first, *reasons = str(error.value).splitlines()
    assert first == f"vpc_id = {VPC!r}: the stack cannot be deployed there:"
    assert [reason.partition(":")[0] for reason in reasons] == ["  - private_subnet_ids"] * 2


@pytest.mark.parametrize("name", ["existing", "existing-no-nat", "existing-endpoints", "prod-internal"])
def test_nothing_of_theirs_is_changed(scenario: Scenario, name: str) -> None:
    """No network, no default group emptied, no flow log; all that is made in it is the stack's own."""
    recording = scenario(name)
    made = {resource.type for resource in recording.resources if resource.custom}
    assert made.isdisjoint(
        {"awsx:ec2:Vpc", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "aws:ec2/flowLog:FlowLog"}
    )
    of_ec2 = {type_ for type_ in made if type_.startswith(("aws:ec2/", "aws:vpc/"))}
    assert of_ec2 <= {GROUP, INGRESS, EGRESS, VPC_ENDPOINT}
    own = {f"{group.name}-id" for group in recording.all(GROUP)}
    for rule in (*recording.all(INGRESS), *recording.all(EGRESS)):
        assert rule.inputs["securityGroupId"] in own


def test_balancer_and_tasks_stand_in_the_named_subnets(scenario: Scenario) -> None:
    """The balancer in the public ones, the tasks in the private ones, all in that network."""
    recording = scenario("existing")
    assert recording.one("aws:lb/loadBalancer:LoadBalancer").inputs["subnets"] == list(PUBLIC)
    placed = recording.one("aws:ecs/service:Service").inputs["networkConfiguration"]
    assert placed["subnets"] == list(PRIVATE)
    assert {resource.inputs["vpcId"] for resource in recording.all(GROUP)} == {VPC}
    assert recording.one("aws:lb/targetGroup:TargetGroup").inputs["vpcId"] == VPC
    assert rules(recording, INGRESS) == {(BALANCER, "0.0.0.0/0", 80, 80), (TASK, BALANCER, 8000, 8000)}
    assert rules(recording, EGRESS) == {(BALANCER, TASK, 8000, 8000), (TASK, "0.0.0.0/0", 443, 443)}


def test_endpoints_are_made_where_asked_for(scenario: Scenario) -> None:
    """In the private subnets, and S3's gateway in their route tables."""
    endpoints = {
        endpoint.inputs["serviceName"]: endpoint.inputs for endpoint in scenario("existing-no-nat").all(VPC_ENDPOINT)
    }
    prefix = f"com.amazonaws.{REGION}"
    assert endpoints.keys() == {f"{prefix}.{name}" for name in ("ecr.api", "ecr.dkr", "logs", "s3")}
    assert {endpoint["vpcId"] for endpoint in endpoints.values()} == {VPC}
    assert endpoints[f"{prefix}.logs"]["subnetIds"] == list(ISOLATED)
    ((table),) = endpoints[f"{prefix}.s3"]["routeTableIds"]
    filters = [{"Name": "association.subnet-id", "Values": list(ISOLATED)}]
    (own,) = networks.client().describe_route_tables(Filters=filters)["RouteTables"]
    assert table == own["RouteTableId"]


def test_endpoints_that_are_there_are_reached(scenario: Scenario) -> None:
    """Tasks call their security groups and S3, and no other address; no endpoint is made."""
    recording = scenario("existing-endpoints")
    assert recording.all(VPC_ENDPOINT) == []
    assert rules(recording, EGRESS) == {
        (BALANCER, TASK, 8000, 8000),
        (TASK, ENDPOINTS, 443, 443),
        (TASK, "pl-s3", 443, 443),
    }


def test_an_internal_balancer_is_private(scenario: Scenario) -> None:
    """In the private subnets, open to the network's own addresses unless others are named, without a firewall."""
    for name, own in (("internal", "10.0.0.0/16"), ("existing-endpoints", "10.30.0.0/16")):
        recording = scenario(name)
        balancer = recording.one("aws:lb/loadBalancer:LoadBalancer").inputs
        placed = recording.one("aws:ecs/service:Service").inputs["networkConfiguration"]
        assert balancer["internal"] is True
        assert balancer["subnets"] == placed["subnets"]
        assert (BALANCER, own, 80, 80) in rules(recording, INGRESS)
        assert "0.0.0.0/0" not in {source for _, source, _, _ in rules(recording, INGRESS)}
        assert not any(resource.type.startswith("aws:wafv2/") for resource in recording.resources)
        assert "Firewall" not in json.dumps(recording.one("aws:cloudwatch/dashboard:Dashboard").inputs)


def test_callers_may_be_security_groups(scenario: Scenario) -> None:
    """And nobody else then."""
    recording = scenario("prod-internal")
    callers = {
        (rule.inputs.get("cidrIpv4"), rule.inputs.get("referencedSecurityGroupId"), int(rule.inputs["fromPort"]))
        for rule in recording.all(INGRESS, securityGroupId="housing-prod-balancer-id")
    }
    assert callers == {(None, CALLERS, 80), (None, CALLERS, 443)}


def test_a_firewall_is_a_choice(scenario: Scenario) -> None:
    """An internal load balancer may have one, a public one may do without."""
    association = "aws:wafv2/webAclAssociation:WebAclAssociation"
    assert scenario("internal-firewall").one(association)
    assert (BALANCER, "10.0.0.0/8", 80, 80) in rules(scenario("internal-firewall"), INGRESS)
    assert scenario("open").all(association) == []


def test_a_target_group_goes_with_its_balancer(scenario: Scenario) -> None:
    """It belongs to one: the listener of another could not forward to it."""
    recording = scenario("internal")
    group = recording.one("aws:lb/targetGroup:TargetGroup")
    assert group.replace_with == [recording.one("aws:lb/loadBalancer:LoadBalancer").urn]
