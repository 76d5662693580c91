"""The program as a whole: its outputs, its tags, what a rollout changes, and how it is taken down."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from stack.settings.config import PROJECT, settings
from tests.stack.awsx_network import deployed
from tests.stack.engine import dependencies, destroy
from tests.stack.recording import ROOT, Recording, Resource, stack_settings
from tests.stack.scenarios import SCENARIOS

Scenario = Callable[[str], Recording]
SCORING = {"score_network", "score_task_definition"}
OUTPUTS = {
    "alb_dns_name",
    "dashboard_url",
    "ecr_repository_url",
    "ecs_cluster",
    "ecs_execution_role_arn",
    "ecs_service",
    "ecs_task_definition",
    "ecs_task_role_arn",
    "log_group",
    "model",
    "url",
}


def by_urn(recording: Recording) -> dict[str, dict[str, Any]]:
    return {resource.urn: resource.inputs for resource in recording.resources}


def test_the_outputs_are_the_documented_ones(scenario: Scenario) -> None:
    """Everything that the next command needs, each with a value and a line in the reference."""
    outputs = scenario("dev").outputs
    assert outputs.keys() == OUTPUTS
    assert all(outputs.values())
    page = (ROOT / "docs" / "configuration.md").read_text()
    documented = set(re.findall(r"^\| `(\w+)` \|", page.split("## Outputs")[1], re.MULTILINE))
    assert documented == OUTPUTS | SCORING | {"next_step", "capture_log_group"}
    assert scenario("scoring").outputs.keys() == OUTPUTS | SCORING


def test_the_outputs_name_what_was_made(scenario: Scenario) -> None:
    """The model among them: its version is what runs, even if the configuration says `latest`."""
    outputs = scenario("dev").outputs
    assert outputs["ecs_task_role_arn"].endswith("Role/housing-dev-task")
    assert outputs["ecr_repository_url"].endswith("/housing-dev")
    assert outputs["model"]["path"] == scenario("dev").environment()["MODEL_PATH"]
    assert outputs["model"]["version"] == "6"


def test_it_fits_on_one_screen() -> None:
    """Configuration, components, outputs."""
    lines = (ROOT / "__main__.py").read_text().splitlines()
    body = [line for line in lines if line and not line.startswith(("import", "from", '"""'))]
    assert len(body) <= 40


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_resource_is_sound(scenario: Scenario, name: str) -> None:
    """No two have one name, none refers to something unknown, and all AWS resources use the tagging provider."""
    recording = scenario(name)
    assert len(recording.resources) > 50
    assert len({resource.urn for resource in recording.resources}) == len(recording.resources)
    (provider,) = recording.all("pulumi:providers:aws")
    for resource in recording.resources:
        for leaf in _leaves(resource.inputs):
            # An output that nothing filled would show as None, alone or in the middle of an ARN or URL.
            assert leaf is not None, resource.urn
            assert not re.search(r"[:/.]None|None[:/.]", str(leaf)), resource.urn
        if resource.custom and resource.type.startswith("aws:"):
            assert resource.provider.startswith(provider.urn), resource.urn
    for network in recording.all("awsx:ec2:Vpc"):
        assert network.providers["aws"].startswith(provider.urn)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def test_everything_is_tagged_by_the_provider(scenario: Scenario) -> None:
    """With the project and the stack, and in the configured region."""
    provider = scenario("prod").one("pulumi:providers:aws").inputs
    assert '"Project": "california-housing-api"' in provider["defaultTags"]
    assert '"Stack": "prod"' in provider["defaultTags"]
    assert provider["region"] == "eu-central-1"


def test_components_hold_what_they_make(scenario: Scenario) -> None:
    """Every AWS resource but the shared log lies in a component of ours."""
    recording = scenario("dev")
    roots = [r for r in recording.resources if r.custom and r.parent.endswith(f"Stack::{PROJECT}-dev")]
    assert {resource.type for resource in roots} == {"pulumi:providers:aws", "aws:cloudwatch/logGroup:LogGroup"}


def test_another_model_changes_the_task_and_nothing_else(scenario: Scenario) -> None:
    """Rolling out and back is the task definition's environment, and through it the service; no image is built."""
    before, after = by_urn(scenario("version-5")), by_urn(scenario("version-6"))
    assert before.keys() == after.keys()
    changed = {urn for urn in before if before[urn] != after[urn]}
    (task,) = changed
    assert task.endswith("aws:ecs/taskDefinition:TaskDefinition::housing-prod")
    assert {key for key in before[task] if before[task][key] != after[task][key]} == {"containerDefinitions"}
    service = scenario("version-5").one("aws:ecs/service:Service")
    assert task in service.depends_on
    environments = scenario("version-5").environment(), scenario("version-6").environment()
    differing = {name for name in environments[0] if environments[0][name] != environments[1][name]}
    assert differing == {"MODEL_PATH", "MODEL_SHA256"}


def test_latest_and_its_version_are_the_same_deployment(scenario: Scenario) -> None:
    """Pinning the version that `latest` is changes nothing."""
    assert by_urn(scenario("prod")).keys() != by_urn(scenario("dev")).keys()
    latest = scenario("prod").container()["environment"]
    assert latest == scenario("version-6").container()["environment"]


BLOCKERS = {
    "aws:ecr/repository:Repository": ("forceDelete", True),
    "aws:ecs/service:Service": ("forceDelete", True),
    "aws:lb/loadBalancer:LoadBalancer": ("enableDeletionProtection", False),
    "aws:s3/bucket:Bucket": ("forceDestroy", True),
}
"""What keeps a resource from being deleted, and the value with which it does not."""


def test_dev_leaves_nothing_behind(scenario: Scenario) -> None:
    """Nothing is protected or retained, and what holds images, objects or tasks can be deleted with them."""
    recording = scenario("dev")
    assert not [resource.urn for resource in recording.resources if resource.protect or resource.retain]
    for type_, (key, value) in BLOCKERS.items():
        assert recording.one(type_).inputs[key] is value


PROTECTED = ["prod", "prod-http", "prod-canary", "prod-closed", "prod-models", "prod-internal"]


@pytest.mark.parametrize("name", PROTECTED)
def test_a_destroy_of_prod_deletes_nothing(scenario: Scenario, name: str) -> None:
    """Neither with `--skip-preview` nor with `--exclude-protected`: something protected depends on everything."""
    assert [resource.urn for resource in destroy(scenario(name))] == []


ENTRANCES = {
    "aws:appautoscaling/policy:Policy",
    "aws:ecs/service:Service",
    "aws:lb/listener:Listener",
    "aws:route53/record:Record",
    "aws:wafv2/webAclAssociation:WebAclAssociation",
}
"""What a request meets, or what keeps up with it; what these depend on is the rest of its way."""

OPEN = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": "watches a deployment, and answers no request",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "`nat` and `api_keys_secret` decide about it",
    "aws:ecs/taskDefinition:TaskDefinition": "every rollout replaces it",
    "aws:iam/rolePolicy:RolePolicy": "other rights are another policy",
    "aws:lb/listenerRule:ListenerRule": "the rolling rule only repeats the listener's default",
    "aws:sns/topic:Topic": "hears of the alarms",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "`allowed_cidrs` decides who may call",
    "aws:wafv2/ipSet:IpSet": "`firewall_cidrs` and `unlimited_cidrs` decide about it",
    "docker:index/image:Image": "`image_uri` takes its place; the image itself stays",
    "pulumi:providers:aws": "exists in Pulumi's state alone",
}
"""What lies on a request's way without protection of its own, and why: it goes after something that is protected."""


@pytest.mark.parametrize("name", PROTECTED)
def test_everything_on_the_way_of_a_request_is_protected(scenario: Scenario, name: str) -> None:
    """Each by itself, so that an update cannot delete it either; but for what rollouts and settings must replace."""
    resources = {resource.urn: resource for resource in deployed(scenario(name))}
    way: set[str] = set()
    waiting = [resource.urn for resource in resources.values() if resource.type in ENTRANCES]
    while waiting:
        urn = waiting.pop()
        if urn not in way:
            way.add(urn)
            waiting.extend(dependencies(resources, resources[urn]))
    on_it = [resources[urn] for urn in way if resources[urn].custom and not resources[urn].retain]
    beside = {"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "aws:ec2/flowLog:FlowLog"}
    assert {resource.type for resource in on_it if not resource.protect} - beside <= OPEN.keys()
    # Most of it is the network, where that is the stack's.
    assert len([resource for resource in on_it if resource.protect]) > (
        35 if scenario(name).all("awsx:ec2:Vpc") else 15
    )


def test_components_are_not_protected(scenario: Scenario) -> None:
    """They would hand it to what each rollout replaces."""
    assert not [r.urn for r in scenario("prod-canary").resources if r.protect and not r.custom]


def test_aws_holds_on_to_prod_as_well(scenario: Scenario) -> None:
    """The load balancer cannot be deleted, nothing is emptied to be deleted, images and logs outlive the stack."""
    recording = scenario("prod")
    for type_, (key, value) in BLOCKERS.items():
        assert recording.one(type_).inputs[key] is not value
    kept = {resource.type for resource in recording.resources if resource.retain}
    assert kept >= {"aws:ecr/repository:Repository", "aws:s3/bucket:Bucket", "aws:cloudwatch/logGroup:LogGroup"}


def test_a_destroy_of_dev_goes_on_to_the_end(scenario: Scenario) -> None:
    """Every resource, and none before what depends on it."""
    resources = {resource.urn: resource for resource in deployed(scenario("dev"))}
    gone: set[str] = set()
    for resource in destroy(scenario("dev")):
        assert not gone & dependencies(resources, resource), resource.urn
        gone.add(resource.urn)
    assert gone == resources.keys()


def test_dev_beside_its_model_bucket_goes_but_for_that(scenario: Scenario) -> None:
    """`--exclude-protected` leaves the bucket of the models, and what only Pulumi holds of it."""
    recording = scenario("dev-models")
    left = {resource.urn for resource in deployed(recording)} - {r.urn for r in destroy(recording)}
    types = {urn.rpartition("::")[0].rpartition("$")[2].rpartition("::")[2] for urn in left}
    assert types == {"aws:s3/bucket:Bucket", "housing:storage:PrivateBucket", "pulumi:providers:aws"}


def test_destroying_goes_from_the_outside_in(scenario: Scenario) -> None:
    """Scaling before the service, the service before balancer, roles and network, the firewall before the balancer."""
    recording = scenario("dev")

    def depends(earlier: str, later: str) -> bool:
        reached = _reachable(recording, recording.one(earlier))
        return any(resource.urn in reached for resource in recording.all(later))

    assert depends("aws:appautoscaling/target:Target", "aws:ecs/service:Service")
    assert depends("aws:ecs/service:Service", "aws:lb/listener:Listener")
    assert depends("aws:ecs/service:Service", "aws:iam/rolePolicy:RolePolicy")
    assert depends("aws:ecs/service:Service", "awsx:ec2:Vpc")
    assert depends("aws:ecs/service:Service", "aws:ecs/cluster:Cluster")
    assert depends("aws:ecs/service:Service", "aws:cloudwatch/logGroup:LogGroup")
    assert depends("aws:lb/listener:Listener", "aws:lb/targetGroup:TargetGroup")
    assert depends("aws:wafv2/webAclAssociation:WebAclAssociation", "aws:lb/loadBalancer:LoadBalancer")
    assert depends(
        "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", "aws:cloudwatch/logGroup:LogGroup"
    )
    assert depends("aws:lb/loadBalancer:LoadBalancer", "aws:s3/bucketPolicy:BucketPolicy")
    assert not depends("aws:lb/loadBalancer:LoadBalancer", "aws:ecs/service:Service")


def _reachable(recording: Recording, start: Resource) -> set[str]:
    """All that a resource depends on, directly or through others."""
    dependencies = {resource.urn: resource.depends_on for resource in recording.resources}
    reached: set[str] = set()
    waiting = [start.urn]
    while waiting:
        for urn in dependencies.get(waiting.pop(), []):
            if urn not in reached:
                reached.add(urn)
                waiting.append(urn)
    return reached


def test_the_project_uses_the_makefiles_environment() -> None:
    """`pulumi install` fills the virtual environment that `make` fills, from the same lock."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    assert project["name"] == PROJECT
    assert project["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}}
    assert (ROOT / "requirements.txt").read_text() == "-r requirements/infrastructure.txt\n"


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_stacks_set_known_settings(stack: str) -> None:
    """The files hold no key that the program does not read, and no bucket: that one is asked for."""
    keys = {key.removeprefix(f"{PROJECT}:") for key in stack_settings(stack)}
    assert keys - {"aws:region"} <= settings().keys() - {"model_bucket"}
