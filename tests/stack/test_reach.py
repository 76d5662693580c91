"""How far a deployer's rights reach: to all that its own stack is called, and to nothing of another's."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from stack.settings.config import Config
from tests.stack.account import Account, apply_template, as_list
from tests.stack.published import KEY, REGION
from tests.stack.recording import ACCOUNT, ROOT, Recording, Resource, record
from tests.stack.test_deployer import CREATED_BY

NAMED = {
    # How a resource is called in ARNs, by its type; NAME is what Pulumi calls it in AWS.
    "aws:cloudwatch/dashboard:Dashboard": "cloudwatch::{account}:dashboard/NAME",
    "aws:cloudwatch/eventRule:EventRule": "events:{region}:{account}:rule/NAME",
    "aws:cloudwatch/logGroup:LogGroup": "logs:{region}:{account}:log-group:NAME:*",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "cloudwatch:{region}:{account}:alarm:NAME",
    "aws:ecr/repository:Repository": "ecr:{region}:{account}:repository/NAME",
    "aws:ecs/cluster:Cluster": "ecs:{region}:{account}:cluster/NAME",
    "aws:ecs/service:Service": "ecs:{region}:{account}:service/CLUSTER/NAME",
    "aws:ecs/taskDefinition:TaskDefinition": "ecs:{region}:{account}:task-definition/NAME:7",
    "aws:iam/role:Role": "iam::{account}:role/NAME",
    "aws:lb/listener:Listener": "elasticloadbalancing:{region}:{account}:listener/app/BALANCER/50dc6c49/f2f7dc8e",
    "aws:lb/listenerRule:ListenerRule": (
        "elasticloadbalancing:{region}:{account}:listener-rule/app/BALANCER/50dc6c49/f2f7dc8e/9683b2d0"
    ),
    "aws:lb/loadBalancer:LoadBalancer": "elasticloadbalancing:{region}:{account}:loadbalancer/app/NAME/50dc6c49",
    "aws:lb/targetGroup:TargetGroup": "elasticloadbalancing:{region}:{account}:targetgroup/NAME/73e2d6bc24d8a067",
    "aws:s3/bucket:Bucket": "s3:::NAME",
    "aws:scheduler/schedule:Schedule": "scheduler:{region}:{account}:schedule/default/NAME",
    "aws:sns/topic:Topic": "sns:{region}:{account}:NAME",
    "aws:wafv2/ipSet:IpSet": "wafv2:{region}:{account}:regional/ipset/NAME/a1b2c3d4",
    "aws:wafv2/webAcl:WebAcl": "wafv2:{region}:{account}:regional/webacl/NAME/a1b2c3d4",
}
SUFFIX = "-1a2b3c4"


def physical(resource: Resource) -> str:
    """What a resource is called in AWS: as it asks, or with what Pulumi or the provider adds."""
    for key in ("dashboardName", "family"):
        if key in resource.inputs:
            return str(resource.inputs[key])
    if "namePrefix" in resource.inputs:
        return f"{resource.inputs['namePrefix']}20270131200000000000000001"
    return f"{resource.name}{SUFFIX}"


def arns(recordings: list[Recording], stack: str) -> dict[str, str]:
    """The ARN of every resource that AWS knows by its name, with its type."""
    found = {}
    for resource in (resource for recording in recordings for resource in recording.resources):
        if resource.type in NAMED:
            arn = NAMED[resource.type].format(region=REGION, account=ACCOUNT).replace("NAME", physical(resource))
            for other in ("BALANCER", "CLUSTER"):
                arn = arn.replace(other, f"housing-{stack}{SUFFIX}")
            found[f"arn:aws:{arn}"] = resource.type
    return found


def allowed(account: Account, stack: str, arn: str, type_: str, *, name: str = "housing") -> bool:
    """Whether a stack's deployer may create or change what has this ARN."""
    action = CREATED_BY[type_]
    return any(
        action in statement["Action"] and any(matches(arn, pattern) for pattern in statement["Resource"])
        for statement in account.statements(f"deployer-{name}-{stack}-")
    )


def matches(arn: str, pattern: str) -> bool:
    """As IAM compares: a star is any characters, a question mark is one."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), arn) is not None


@pytest.fixture(scope="module")
def everything(models: str, zone_id: str) -> Callable[[str], list[Recording]]:
    """What a stack creates, whatever its settings."""
    settings = [
        {
            "firewall_cidrs": '["198.51.100.0/25"]',
            "unlimited_cidrs": '["198.51.100.0/28"]',
            "deployment_strategy": "canary",
            "capture_percent": "10",
        },
        {"deployment_strategy": "rolling"},
        {
            "score_data": "s3://the-tables/customers",
            "score_out": "s3://the-tables/scores",
            "score_schedule": "rate(1 day)",
        },
    ]
    return lambda stack: [record("dev", one, stack=stack) for one in settings]


def test_a_deployer_reaches_all_that_its_stack_is_called(
    account: Account, everything: Callable[[str], list[Recording]]
) -> None:
    """Every name that Pulumi makes lies within the patterns."""
    found = arns(everything("prod"), "prod")
    assert set(found.values()) == NAMED.keys()
    assert [arn for arn, type_ in found.items() if not allowed(account, "prod", arn, type_)] == []


@pytest.mark.parametrize("other", ["prod-eu", "prod-task", "prod-canary", "prod-1a2b3c4", "pro", "dev"])
def test_a_deployer_reaches_nothing_of_another_stack(
    account: Account, everything: Callable[[str], list[Recording]], other: str
) -> None:
    """Not even if the other's name begins like its own, or ends like one of its roles."""
    found = arns(everything(other), other)
    assert [arn for arn, type_ in found.items() if allowed(account, "prod", arn, type_)] == []


@pytest.mark.parametrize(
    ("stack", "taken"),
    [
        ("dev", True),
        ("prod-eu", True),
        ("thirteenchars", True),
        ("fourteen-chars", False),
        ("prod-", False),
        ("-prod", False),
        ("prod--eu", False),
        ("Prod", False),
        # Its target group would be called as prod's second one.
        ("prod-g", False),
        # And its task as the one that scores for prod.
        ("prod-score", False),
    ],
)
def test_a_stack_whose_name_is_cut_or_shared_has_no_deployer(template: dict[str, Any], stack: str, taken: bool) -> None:
    """What the template takes, the stack is called by; and no two stacks are called alike."""
    assert bool(re.fullmatch(template["Parameters"]["Stack"]["AllowedPattern"], stack)) == taken
    if taken:
        assert Config(stack=stack, region=REGION, model_bucket="m").prefix == f"housing-{stack}"


STATE = {
    # What Pulumi's command line asks of a bucket: with a stack's own files, `up` and `preview`.
    "s3:GetObject": [
        "meta.yaml",
        "stacks/california-housing-api/{}.json",
        "stacks/california-housing-api/{}.json.gz",
        "stacks/california-housing-api/{}.pulumi-tags",
    ],
    "s3:PutObject": [
        "stacks/california-housing-api/{}.json",
        "stacks/california-housing-api/{}.json.bak",
        "history/california-housing-api/{0}/{0}-1795647892772178932.checkpoint.json",
        "backups/california-housing-api/{0}/{0}.1795647892806123823.json",
        "locks/organization/california-housing-api/{}/df1969a7-892a-4bac-ab09-c81cd0a918fe.json",
    ],
    "s3:DeleteObject": ["locks/organization/california-housing-api/{}/df1969a7-892a-4bac-ab09-c81cd0a918fe.json"],
}


def opens(account: Account, role: str, action: str, key: str) -> bool:
    """Whether a role may do something with an object of the state's bucket."""
    arn = f"arn:aws:s3:::the-state/.pulumi/{key}"
    return any(
        action in statement["Action"] and any(matches(arn, pattern) for pattern in statement["Resource"])
        for statement in account.statements(role)
    )


def test_a_deployer_opens_its_own_state(account: Account) -> None:
    """All that `pulumi up` reads, writes and deletes of it, and no other stack's."""
    for action, keys in STATE.items():
        for key in keys:
            assert opens(account, "deployer-housing-prod", action, key.format("prod")), (action, key)
            if "{" in key:
                for other in ("dev", "prod-eu", "prod.eu"):
                    assert not opens(account, "deployer-housing-prod", action, key.format(other)), (action, key)
    assert not opens(account, "deployer-housing-prod", "s3:PutObject", "meta.yaml")


def test_a_preview_reads_devs_state_and_no_other(account: Account) -> None:
    """A pull request's code sees neither prod's state nor the history of dev's, and writes nothing."""
    for key in STATE["s3:GetObject"]:
        assert opens(account, "previewer", "s3:GetObject", key.format("dev"))
        assert "{" not in key or not opens(account, "previewer", "s3:GetObject", key.format("prod"))
    for action in ("s3:PutObject", "s3:DeleteObject"):
        assert not any(opens(account, "previewer", action, key.format("dev")) for key in STATE[action])


def test_a_second_models_deployer_reaches_its_own(account: Account, models: str) -> None:
    """With `Name` as the stack's `name`: all of its own, and nothing of the first model's, nor the other way round."""
    wine = apply_template("prod", Name="wine")
    recordings = [record("dev", {"name": "wine"}, stack="prod")]
    found = {arn.replace("/housing-prod", "/wine-prod"): type_ for arn, type_ in arns(recordings, "prod").items()}
    assert all("wine-prod" in arn for arn in found)
    assert [arn for arn, type_ in found.items() if not allowed(wine, "prod", arn, type_, name="wine")] == []
    assert [arn for arn, type_ in found.items() if allowed(account, "prod", arn, type_)] == []
    first = arns([record("dev", {}, stack="prod")], "prod")
    assert [arn for arn, type_ in first.items() if allowed(wine, "prod", arn, type_, name="wine")] == []


def test_a_network_of_somebody_elses_is_left_alone(account: Account) -> None:
    """With `VpcId` the deployer makes no network and empties no group; what is its own comes into that one alone."""
    vpc = f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/vpc-0a"
    inside = apply_template("inside", VpcId="vpc-0a").statements("deployer-housing-inside-network")
    actions = {action for statement in inside for action in statement["Action"]}
    assert actions.isdisjoint({"ec2:CreateVpc", "ec2:CreateInternetGateway", "ec2:AllocateAddress"})
    by_sid = {statement["Sid"]: statement for statement in inside}
    assert "EmptyTheDefaultGroup" not in by_sid
    assert by_sid["SettleInNetwork"]["Resource"] == [vpc]
    assert by_sid["EndpointsInNetwork"]["Condition"] == {"ArnEquals": {"ec2:Vpc": vpc}}
    without = {statement["Sid"] for statement in account.statements("deployer-housing-dev-network")}
    assert by_sid.keys() - without == {"SettleInNetwork", "EndpointsInNetwork"}


def test_keys_are_used_through_the_services_alone(account: Account) -> None:
    """With `KeyArns` models are read under the key, and the repository's images are kept under it; training writes."""
    s3 = {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}
    ecr = {"StringEquals": {"kms:ViaService": f"ecr.{REGION}.amazonaws.com"}}
    look, read = ("kms:DescribeKey", {}), ("kms:Decrypt", s3)
    for role, rights in {
        "deployer-housing-prod": [look, read, ("kms:CreateGrant", ecr), ("kms:RetireGrant", ecr)],
        "previewer-housing-dev": [look, read],
        "trainer-housing-dev": [read, ("kms:GenerateDataKey", s3)],
    }.items():
        statements = [statement for statement in account.statements(role) if "kms:" in str(statement["Action"])]
        assert {resource for statement in statements for resource in statement["Resource"]} == {KEY}
        found = [(action, statement.get("Condition", {})) for statement in statements for action in statement["Action"]]
        assert found == rights


def test_keys_of_ones_own_work_within_the_boundary(account: Account) -> None:
    """Bucket and secret may lie under customer keys: within the boundary S3 and Secrets Manager decrypt for a role."""
    (keys,) = [s for s in account.statements("boundary-housing-prod") if "kms:Decrypt" in s["Action"]]
    assert keys["Action"] == ["kms:Decrypt"]
    assert keys["Condition"] == {
        "StringLike": {"kms:ViaService": ["s3.*.amazonaws.com", "secretsmanager.*.amazonaws.com"]}
    }


@pytest.fixture(scope="module")
def key_policy() -> dict[str, dict[str, Any]]:
    """The statements that the documents give for a key's policy, by their names."""
    page = (ROOT / "docs" / "operations.md").read_text()
    (block,) = re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return {statement["Sid"]: statement for statement in json.loads(block)}


def test_the_documented_key_policy_names_the_roles(
    key_policy: dict[str, dict[str, Any]], everything: Callable[[str], list[Recording]]
) -> None:
    """It must hold before there are roles, so it goes by their names: exactly the tasks' two."""
    patterns = key_policy["Tasks"]["Condition"]["ArnLike"]["aws:PrincipalArn"]
    roles = {arn for arn, type_ in arns(everything("prod"), "prod").items() if type_ == "aws:iam/role:Role"}
    matched = {arn for arn in roles if any(matches(arn, pattern) for pattern in patterns)}
    assert {arn.split("/")[1].removesuffix(SUFFIX) for arn in matched} == {
        "housing-prod-task",
        "housing-prod-execution",
    }


def test_the_documented_key_policy_names_the_log_groups(
    key_policy: dict[str, dict[str, Any]], everything: Callable[[str], list[Recording]]
) -> None:
    """By the context that CloudWatch gives KMS: each of the stack's groups, so that none fails to be made."""
    patterns = key_policy["Logs"]["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    found = arns(everything("prod"), "prod").items()
    groups = {arn.replace(REGION, "us-east-1") for arn, type_ in found if type_.endswith(":LogGroup")}
    assert groups
    assert [arn for arn in groups if not any(matches(arn, pattern) for pattern in patterns)] == []


def test_the_documented_key_policy_gives_the_deployer_what_the_template_does(
    key_policy: dict[str, dict[str, Any]], account: Account
) -> None:
    """Whichever of the two says it, the rights are the same."""
    documented = {
        action
        for name, statement in key_policy.items()
        if name.startswith("Deployer")
        for action in as_list(statement["Action"])
    }
    given = {action for statement in account.statements("deployer-housing-prod") for action in statement["Action"]}
    assert documented == {action for action in given if action.startswith("kms:")}
