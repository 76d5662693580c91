"""The workflows' roles in AWS: who may take them, and what they may do."""

import fnmatch
import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stack.account import PARAMETERS, TEMPLATE, Account, as_list
from tests.stack.published import KEY
from tests.stack.recording import ACCOUNT, ROOT, Recording, record
from tests.stack.scenarios import SCENARIOS

# What the Pulumi provider creates with which action. A new kind of resource in the stack needs a line here, and the
# action in the template. Where several actions are needed, the one that is easily forgotten.
CREATED_BY = {
    "aws:acm/certificate:Certificate": "acm:RequestCertificate",
    "aws:acm/certificateValidation:CertificateValidation": "acm:DescribeCertificate",
    "aws:appautoscaling/policy:Policy": "application-autoscaling:PutScalingPolicy",
    "aws:appautoscaling/scheduledAction:ScheduledAction": "application-autoscaling:PutScheduledAction",
    "aws:appautoscaling/target:Target": "application-autoscaling:RegisterScalableTarget",
    "aws:cloudwatch/dashboard:Dashboard": "cloudwatch:PutDashboard",
    "aws:cloudwatch/eventRule:EventRule": "events:PutRule",
    "aws:cloudwatch/eventTarget:EventTarget": "events:PutTargets",
    "aws:cloudwatch/logGroup:LogGroup": "logs:CreateLogGroup",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "cloudwatch:PutMetricAlarm",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "ec2:RevokeSecurityGroupEgress",
    "aws:ec2/flowLog:FlowLog": "ec2:CreateFlowLogs",
    "aws:ec2/securityGroup:SecurityGroup": "ec2:CreateSecurityGroup",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "ec2:CreateVpcEndpoint",
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": "ecr:PutLifecyclePolicy",
    "aws:ecr/repository:Repository": "ecr:CreateRepository",
    "aws:ecs/cluster:Cluster": "ecs:CreateCluster",
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": "ecs:PutClusterCapacityProviders",
    "aws:ecs/service:Service": "ecs:CreateService",
    "aws:ecs/taskDefinition:TaskDefinition": "ecs:RegisterTaskDefinition",
    "aws:iam/role:Role": "iam:CreateRole",
    "aws:iam/rolePolicy:RolePolicy": "iam:PutRolePolicy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "iam:AttachRolePolicy",
    "aws:lb/listener:Listener": "elasticloadbalancing:CreateListener",
    "aws:lb/listenerRule:ListenerRule": "elasticloadbalancing:CreateRule",
    "aws:lb/loadBalancer:LoadBalancer": "elasticloadbalancing:CreateLoadBalancer",
    "aws:lb/targetGroup:TargetGroup": "elasticloadbalancing:CreateTargetGroup",
    "aws:route53/record:Record": "route53:ChangeResourceRecordSets",
    "aws:s3/bucket:Bucket": "s3:CreateBucket",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "aws:s3/bucketPolicy:BucketPolicy": "s3:PutBucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "s3:PutEncryptionConfiguration"
    ),
    "aws:scheduler/schedule:Schedule": "scheduler:CreateSchedule",
    "aws:sns/topic:Topic": "sns:CreateTopic",
    "aws:sns/topicPolicy:TopicPolicy": "sns:SetTopicAttributes",
    "aws:sns/topicSubscription:TopicSubscription": "sns:Subscribe",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "ec2:AuthorizeSecurityGroupEgress",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "ec2:AuthorizeSecurityGroupIngress",
    "aws:wafv2/ipSet:IpSet": "wafv2:CreateIPSet",
    "aws:wafv2/webAcl:WebAcl": "wafv2:CreateWebACL",
    "aws:wafv2/webAclAssociation:WebAclAssociation": "wafv2:AssociateWebACL",
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": "wafv2:PutLoggingConfiguration",
    "awsx:ec2:Vpc": "ec2:CreateVpc",
    "docker:index/image:Image": "ecr:PutImage",
}


@pytest.fixture(scope="module")
def actions() -> dict[str, dict[str, Any]]:
    """AWS's own list of actions by service, as cfn-lint brings it: each with the kinds of resource it can be given."""
    data = resources.files("cfnlint.data.AdditionalSpecs").joinpath("Policies.json").read_text()
    return {
        f"{service}:{action}": found
        for service, listed in json.loads(data).items()
        for action, found in listed["Actions"].items()
    }


def test_the_template_is_valid() -> None:
    """CloudFormation would take it: cfn-lint finds no error and no warning."""
    linted = subprocess.run([Path(sys.executable).with_name("cfn-lint"), TEMPLATE], capture_output=True, text=True)
    assert (linted.returncode, linted.stdout) == (0, "")


@pytest.mark.parametrize(
    ("role", "subject"),
    [
        ("deployer-housing-dev", "repo:owner/name:environment:dev"),
        ("deployer-housing-prod", "repo:owner/name:environment:prod"),
        ("previewer-housing-dev", "repo:owner/name:environment:preview"),
        ("trainer-housing-dev", "repo:owner/name:environment:training"),
    ],
)
def test_a_role_is_taken_by_one_kind_of_job(account: Account, role: str, subject: str) -> None:
    """By GitHub's token for exactly this repository and environment: no pattern, and no other way in."""
    (statement,) = account.trust[role]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Federated": PARAMETERS["OidcProvider"]},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": subject,
            }
        },
    }


@pytest.mark.parametrize("repository", ["owner/na.me_1", "own-er@123456/name@456789"])
def test_a_repository_is_named_as_its_tokens_name_it(template: dict[str, Any], repository: str) -> None:
    """With numbers where GitHub writes them (created, renamed or transferred since July 2026), else without."""
    parameter = template["Parameters"]["Repository"]
    assert re.fullmatch(parameter["AllowedPattern"], repository)
    for role, environment in (("Deployer", "${Stack}"), ("Previewer", "preview"), ("Trainer", "training")):
        (statement,) = template["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        subject = statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
        assert subject == {"Fn::Sub": f"repo:${{Repository}}:environment:{environment}"}


@pytest.mark.parametrize("repository", ["owner", "owner@1/name", "owner/name@1", "owner/*", "o/n:environment:dev"])
def test_half_a_repository_is_refused(template: dict[str, Any], repository: str) -> None:
    """Numbers on both names or on none, and nothing that would widen the subject."""
    assert not re.fullmatch(template["Parameters"]["Repository"]["AllowedPattern"], repository)


def test_the_role_lasts_as_long_as_its_job(template: dict[str, Any], scenario: Callable[[str], Recording]) -> None:
    """And the job as long as the slowest deployment that the settings take: Pulumi cannot renew credentials."""
    longest = {"deployment_strategy": "canary", "canary_minutes": "120", "bake_minutes": "120", "start_seconds": "300"}
    service = record("dev", longest).one("aws:ecs/service:Service")
    job = yaml.safe_load((ROOT / ".github" / "workflows" / "rollout.yml").read_text())["jobs"]["up"]
    (asked,) = [
        step["with"]["role-duration-seconds"] for step in job["steps"] if "role-to-assume" in step.get("with", {})
    ]
    # Half an hour for what comes before: packages, the image, the network of a first deployment.
    assert int(service.timeouts["update"].removesuffix("m")) + 30 <= job["timeout-minutes"] <= 360
    assert job["timeout-minutes"] * 60 == asked == template["Resources"]["Deployer"]["Properties"]["MaxSessionDuration"]


def test_only_dev_has_roles_for_pull_requests_and_training(account: Account) -> None:
    """Four roles in all, and the outputs name them."""
    assert len(account.trust) == 4
    assert account.outputs["dev"].keys() == {"DeployerRole", "PermissionsBoundary", "PreviewerRole", "TrainerRole"}
    assert account.outputs["prod"].keys() == {"DeployerRole", "PermissionsBoundary"}


def test_the_deployer_has_the_five_policies(template: dict[str, Any]) -> None:
    """Each of the template's deployer policies is attached, and nothing else."""
    attached = [reference["Ref"] for reference in template["Resources"]["Deployer"]["Properties"]["ManagedPolicyArns"]]
    assert sorted(attached) == ["Access", "Network", "Scoring", "Service", "Traffic"]


def test_actions_are_named_and_exist(account: Account, actions: dict[str, Any]) -> None:
    """No wildcard stands for an action, and every name is one that AWS knows."""
    named = {action for statement in account.statements() for action in statement["Action"]}
    assert len(named) > 200
    assert {action for action in named if "*" in action} == set()
    unknown = {
        action for action in named if f"{action.partition(':')[0]}:{action.partition(':')[2].lower()}" not in actions
    }
    assert unknown == set()


def test_only_what_has_no_resource_is_allowed_on_all(account: Account, actions: dict[str, Any]) -> None:
    """`Resource: *` stands only where AWS offers nothing narrower, and a narrower one only where AWS heeds it."""
    for statement in account.statements():
        for action in statement["Action"]:
            service, _, name = action.partition(":")
            narrower = "Resources" in actions[f"{service}:{name.lower()}"]
            assert narrower == (statement["Resource"] != ["*"]), f"{statement['Sid']}: {action}"


def test_everything_is_bound_to_the_project(account: Account) -> None:
    """Names of this project's stack, its tags, or a bucket, zone or condition that the administrator chose."""
    own = ("housing-prod", "the-models", "the-state", "the-tables", "hostedzone/Z1", "repository/housing-dev-", KEY)
    for statement in account.statements("deployer-housing-prod"):
        if statement["Resource"] == ["*"] or statement.get("Condition"):
            continue
        for resource in statement["Resource"]:
            looks = all(action.split(":")[1].startswith(("Describe", "Get")) for action in statement["Action"])
            rules = resource.endswith(":regional/managedruleset/*")
            scaling_tags = statement["Sid"] == "ScalingTags"
            assert any(name in resource for name in own) or looks or rules or scaling_tags, statement


def test_tags_decide_where_names_cannot(account: Account) -> None:
    """What changes the network, and has no name to go by, demands the project's and the stack's tag."""
    changing = [
        statement
        for statement in account.statements("deployer-housing-prod-network")
        if not all(action.startswith(("ec2:Describe", "ec2:Get")) for action in statement["Action"])
    ]
    assert {statement["Sid"] for statement in changing} == {
        "Create", "CreateNetwork", "TagWhatIsCreated", "ChangeItsOwn", "TagItsOwn", "EmptyTheDefaultGroup",
    }  # fmt: skip
    for statement in changing:
        if statement["Sid"] == "EmptyTheDefaultGroup":
            # Without tags when it appears; whoever has tags is somebody's.
            assert statement["Condition"] == {"Null": {"aws:ResourceTag/Stack": "true"}}
            continue
        demanded = statement["Condition"]["StringEquals"]
        for tag in ("Project", "Stack"):
            values = [value for key, value in demanded.items() if key.endswith(f"Tag/{tag}")]
            assert values == [{"Project": "california-housing-api", "Stack": "prod"}[tag]]


def test_roles_are_passed_to_ecs_only(account: Account) -> None:
    """To its tasks, the canary's role to ECS itself, and the one that starts tasks to the clock."""
    passing = [statement for statement in account.statements("deployer") if "iam:PassRole" in statement["Action"]]
    assert {
        (resource.rpartition("/")[2], statement["Condition"]["StringEquals"]["iam:PassedToService"])
        for statement in passing
        for resource in statement["Resource"]
    } == {
        (f"housing-{stack}-{suffix}-???????", service)
        for stack in ("dev", "prod")
        for suffix, service in (
            ("execution", "ecs-tasks.amazonaws.com"),
            ("task", "ecs-tasks.amazonaws.com"),
            ("traffic", "ecs.amazonaws.com"),
            ("score", "ecs-tasks.amazonaws.com"),
            ("score-execution", "ecs-tasks.amazonaws.com"),
            ("score-clock", "scheduler.amazonaws.com"),
        )
    }


def test_a_deployer_cannot_make_a_role_stronger_than_the_boundary(account: Account) -> None:
    """Creating a role or adding to one demands the boundary, which passes tasks their roles, no more, and stays on."""
    strengthening = {"iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"}
    found = set()
    for statement in account.statements("deployer-housing-prod"):
        if added := strengthening & set(statement["Action"]):
            boundary = account.outputs["prod"]["PermissionsBoundary"]
            assert statement["Condition"]["StringEquals"]["iam:PermissionsBoundary"] == boundary
            found |= added
    assert found == strengthening
    of_iam = {
        (action, service)
        for statement in account.statements("boundary")
        for action in statement["Action"]
        if action.startswith(("iam:", "sts:"))
        for service in [statement["Condition"]["StringEquals"]["iam:PassedToService"]]
    }
    assert of_iam == {("iam:PassRole", "ecs-tasks.amazonaws.com")}
    everything = {action for statement in account.statements("deployer") for action in statement["Action"]}
    assert not everything & {"iam:DeleteRolePermissionsBoundary", "iam:CreatePolicyVersion", "iam:CreateUser"}


def test_a_deployer_cannot_change_itself(account: Account) -> None:
    """None of the workflows' roles and policies is matched by a resource that a role may change."""
    own = [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in account.trust]
    own += [f"arn:aws:iam::{ACCOUNT}:policy/{name}" for name in account.policies]
    for statement in account.statements():
        for pattern in statement["Resource"]:
            if any(action.startswith("iam:") for action in statement["Action"]):
                assert not [arn for arn in own if fnmatch.fnmatchcase(arn, pattern)], statement


def test_pull_requests_only_look(account: Account) -> None:
    """The previewer changes nothing."""
    for statement in account.statements("previewer"):
        changing = [a for a in statement["Action"] if not a.split(":")[1].startswith(("Describe", "Get", "List"))]
        # Of a model, to see it.
        assert changing in ([], ["kms:Decrypt"]), statement


def test_training_publishes_and_deletes_nothing(account: Account) -> None:
    """The trainer writes models and MLflow's files to the one bucket, and cannot delete a model."""
    (bucket, objects, captured, _key) = account.statements("trainer")
    assert (bucket["Action"], bucket["Resource"]) == (["s3:ListBucket"], ["arn:aws:s3:::the-models"])
    assert set(objects["Action"]) == {"s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"}
    assert objects["Resource"] == [
        "arn:aws:s3:::the-models/mlflow/models/*",
        "arn:aws:s3:::the-models/mlflow/tracking/*",
    ]
    assert captured["Action"] == ["logs:FilterLogEvents"]
    (groups,) = captured["Resource"]
    assert groups.endswith(":log-group:/capture/housing-*:*")


def test_the_deployer_can_wait_for_the_end_of_a_deployment(account: Account) -> None:
    """Reading how a deployment ended needs two actions that are easily forgotten."""
    allowed = {action for statement in account.statements("deployer-housing-prod") for action in statement["Action"]}
    assert {"ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments"} <= allowed


def test_all_that_the_stack_creates_is_allowed(account: Account, scenario: Callable[[str], Recording]) -> None:
    """Every kind of resource of every scenario has its action in the deployer's policies."""
    # The bucket of the models is made once, by hand; the workflows publish to it and read from it.
    by_workflows = [name for name, (_, settings) in SCENARIOS.items() if "create_model_bucket" not in settings]
    created = {resource.type for name in by_workflows for resource in scenario(name).resources if resource.custom}
    created -= {"pulumi:providers:aws"}
    assert created <= CREATED_BY.keys()
    allowed = {action for statement in account.statements("deployer-housing-dev") for action in statement["Action"]}
    assert {CREATED_BY[type_] for type_ in created} - allowed == set()


@pytest.mark.parametrize("strategy", ["rolling", "canary"])
def test_the_stack_puts_the_boundary_on_its_roles(models: str, strategy: str) -> None:
    """With `permissions_boundary`, every role has it; the policy that it names allows what each role is given."""
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary-housing-dev"
    recording = record("dev", {"permissions_boundary": boundary, "deployment_strategy": strategy})
    roles = recording.all("aws:iam/role:Role")
    assert len(roles) == (3 if strategy == "canary" else 2)
    assert {role.inputs.get("permissionsBoundary") for role in roles} == {boundary}


def test_the_boundary_allows_what_tasks_are_given(account: Account, scenario: Callable[[str], Recording]) -> None:
    """A boundary that is too narrow would stop tasks from starting: every action of the tasks' roles lies within."""
    given = {
        action
        for recording in (scenario("no-nat"), scenario("prod-scoring"))
        for policy in recording.all("aws:iam/rolePolicy:RolePolicy")
        for statement in recording.statements(policy)
        for action in as_list(statement["Action"])
    }
    assert given
    allowed = {action for statement in account.statements("boundary-housing-dev") for action in statement["Action"]}
    assert given <= allowed


def test_policies_fit_into_iams_limit(account: Account) -> None:
    """A managed policy ends after 6,144 characters."""
    sizes = {name: len(json.dumps(document, separators=(",", ":"))) for name, document in account.policies.items()}
    assert len(sizes) == 14
    assert {name: size for name, size in sizes.items() if size > 6144} == {}
