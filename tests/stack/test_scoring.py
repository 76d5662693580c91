"""The task that scores a table: what it runs, what it may do, when it starts, and who hears of its failures."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from stack.settings.loading import ConfigError, parse
from stack.tasks.content import content_hash
from tests.stack.published import BUCKET, PREFIX, REGION
from tests.stack.recording import ACCOUNT, ROOT, Recording, Resource

Scenario = Callable[[str], Recording]
IMAGE = "docker:index/image:Image"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
NAME = "housing-dev-score"


def statements(recording: Recording, policy: str) -> list[dict[str, Any]]:
    """The statements of the only policy of this name."""
    (found,) = [each for each in recording.all("aws:iam/rolePolicy:RolePolicy") if each.name == policy]
    return recording.statements(found)


def called(recording: Recording, type_: str, name: str) -> Resource:
    """The only resource of a type that Pulumi calls so."""
    (found,) = [each for each in recording.all(type_) if each.name == name]
    return found


def test_off_by_default(scenario: Scenario) -> None:
    """Without the settings there is none of it."""
    names = [resource.name for resource in scenario("prod").resources if resource.type != "pulumi:providers:aws"]
    assert not [name for name in names if "score" in name]
    assert "score_task_definition" not in scenario("prod").outputs


def test_it_scores_with_the_deployed_model(scenario: Scenario) -> None:
    """The same model as the service's, by the same digest; each version has a folder of its own for its scores."""
    recording = scenario("scoring")
    container, serving = recording.container("score"), recording.environment()
    environment = {entry["name"]: entry["value"] for entry in container["environment"]}
    for name in ("MODEL_BUCKET", "MODEL_PATH", "MODEL_SHA256"):
        assert environment[name] == serving[name]
    assert container["command"] == [
        "python", "-m", "api.scoring", "--data", "s3://tables/customers/*.parquet", "--out", "s3://scores/customers/6",
    ]  # fmt: skip
    assert container["portMappings"] == []
    assert "healthCheck" not in container
    assert container["readonlyRootFilesystem"]
    assert container["user"] == recording.container()["user"]


def test_its_image_reads_parquet(scenario: Scenario) -> None:
    """Built beside the service's, which stays as small as it is; or given."""
    recording = scenario("scoring")
    image = called(recording, IMAGE, NAME).inputs
    tag = content_hash(ROOT, platform="linux/amd64", build_args={"SCORING": "true"})
    assert image["imageName"].endswith(f":{tag}")
    assert image["build"]["args"] == {"SCORING": "true"}
    assert recording.container("score")["image"] == f"{image['imageName']}@sha256:{'b' * 64}"
    assert "args" not in called(recording, IMAGE, "housing-dev").inputs["build"]


def test_its_role_reads_one_prefix_and_writes_another(scenario: Scenario) -> None:
    """And the models; nothing else in the account."""
    granted = statements(scenario("scoring"), NAME)
    assert [(each["Action"], each["Resource"], each.get("Condition")) for each in granted] == [
        ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/{PREFIX}/*", None),
        ("s3:GetObject", "arn:aws:s3:::tables/customers/*", None),
        (["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "arn:aws:s3:::scores/customers/*", None),
        ("s3:ListBucket", "arn:aws:s3:::tables", {"StringLike": {"s3:prefix": "customers/*"}}),
        ("s3:ListBucket", "arn:aws:s3:::scores", {"StringLike": {"s3:prefix": "customers/*"}}),
    ]
    assert called(scenario("scoring"), TASK, NAME).inputs["taskRoleArn"].endswith(f"/{NAME}")


def test_nobody_calls_it(scenario: Scenario) -> None:
    """Its security group lets nothing in, and out only HTTPS."""
    recording = scenario("scoring")
    group = called(recording, "aws:ec2/securityGroup:SecurityGroup", NAME)
    rules = "aws:vpc/securityGroup{}Rule:SecurityGroup{}Rule"
    identity = f"{group.name}-id"
    assert not recording.all(rules.format("Ingress", "Ingress"), securityGroupId=identity)
    (out,) = recording.all(rules.format("Egress", "Egress"), securityGroupId=identity)
    assert (out.inputs["fromPort"], out.inputs["toPort"]) == (443, 443)
    assert json.loads(recording.outputs["score_network"]) == {
        "awsvpcConfiguration": {
            "subnets": ["subnet-private-0", "subnet-private-1"],
            "securityGroups": [identity],
            "assignPublicIp": "DISABLED",
        }
    }


def test_without_nat_it_reaches_the_endpoints(scenario: Scenario) -> None:
    """As the service's tasks do."""
    recording = scenario("prod-scoring")
    names = [each.name for each in recording.all("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")]
    assert {"housing-prod-score-to-endpoint", "housing-prod-score-to-s3"} <= set(names)


def test_the_clock_starts_it(scenario: Scenario) -> None:
    """With a role that may start this task in this cluster, and give it these two roles."""
    assert not scenario("scoring").all("aws:scheduler/schedule:Schedule")
    recording = scenario("prod-scoring")
    schedule = recording.one("aws:scheduler/schedule:Schedule").inputs
    assert schedule["scheduleExpression"] == "cron(0 3 * * ? *)"
    definition = f"arn:aws:mock:{REGION}:{ACCOUNT}:TaskDefinition/housing-prod-score"
    assert schedule["target"]["ecsParameters"]["taskDefinitionArn"] == definition
    run, give = statements(recording, "housing-prod-score-clock")
    assert (run["Action"], run["Resource"]) == ("ecs:RunTask", definition)
    assert run["Condition"]["ArnEquals"]["ecs:cluster"] == schedule["target"]["arn"]
    assert give["Action"] == "iam:PassRole"
    assert [arn.rpartition("/")[2] for arn in give["Resource"]] == [
        "housing-prod-score",
        "housing-prod-score-execution",
    ]


def test_failures_are_told(scenario: Scenario) -> None:
    """A run that ends otherwise than with 0, or never starts, goes where alarms go; the topic lets events in."""
    recording = scenario("scoring")
    pattern = json.loads(recording.one("aws:cloudwatch/eventRule:EventRule").inputs["eventPattern"])
    assert pattern["detail"]["group"] == [f"family:{NAME}"]
    assert pattern["detail"]["$or"] == [
        {"containers": {"exitCode": [{"anything-but": [0]}]}},
        {"stopCode": ["TaskFailedToStart"]},
    ]
    target = recording.one("aws:cloudwatch/eventTarget:EventTarget").inputs
    policy = recording.one("aws:sns/topicPolicy:TopicPolicy")
    (statement,) = recording.statements(policy)
    assert target["arn"] == statement["Resource"]
    assert "events.amazonaws.com" in statement["Principal"]["Service"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"score_data": "s3://tables/a"}, "score_data, score_out: set both or none"),
        ({"score_schedule": "rate(1 day)"}, "score_schedule = 'rate(1 day)': set score_data and score_out as well"),
        ({"score_data": "tables/a", "score_out": "s3://tables/b"}, "use s3://BUCKET/PREFIX"),
        ({"score_data": "s3://tables/a", "score_out": "s3://tables/a/b"}, "or the scores would be scored"),
        ({"score_data": "s3://tables/*.csv", "score_out": "s3://tables/b"}, "or the scores would be scored"),
        ({"score_data": "s3://tables/a", "score_out": "s3://tables/*"}, "is one folder, and no pattern"),
        ({"score_cpu": "300"}, "score_cpu = 300: use one of 256"),
        ({"score_cpu": "4096"}, "score_memory = 2048: with score_cpu = 4096 use one of 8192"),
        (
            {"score_data": "s3://tables/a", "score_out": "s3://tables/b", "score_schedule": "daily"},
            "score_schedule = 'daily': use cron(",
        ),
    ],
)
def test_what_cannot_be(settings: dict[str, str], said: str) -> None:
    """Is said by the setting, before anything is touched."""
    with pytest.raises(ConfigError) as caught:
        parse({"model_bucket": BUCKET, **settings}, stack="dev", region=REGION)
    assert said in str(caught.value)
