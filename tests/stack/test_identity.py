"""The roles of a task: what each may do, and nothing else."""

import json
from collections.abc import Callable
from typing import Any

from stack.settings.config import Config
from stack.tasks.identity import image_repository_arn
from tests.stack.recording import Recording

Scenario = Callable[[str], Recording]
POLICY = "aws:iam/rolePolicy:RolePolicy"


def allowed(recording: Recording, role: str) -> list[tuple[Any, Any]]:
    """What a role may do, as pairs of action and resource."""
    (policy,) = [policy for policy in recording.all(POLICY) if f"-{role}-" in policy.name]
    statements = recording.statements(policy)
    assert all(statement["Effect"] == "Allow" for statement in statements)
    return [(statement["Action"], statement["Resource"]) for statement in statements]


def test_the_task_reads_models_and_nothing_else(scenario: Scenario) -> None:
    """Every version below the models' prefix, so that rolling out and back changes no role."""
    expected = [("s3:GetObject", "arn:aws:s3:::housing-models/mlflow/models/california-housing/*")]
    assert allowed(scenario("dev"), "task") == expected
    assert allowed(scenario("version-5"), "task") == expected


def test_the_start_is_limited_to_this_image_and_this_log(scenario: Scenario) -> None:
    """The token that ECR hands to everybody is the one action without a resource."""
    assert allowed(scenario("dev"), "execution") == [
        ("ecr:GetAuthorizationToken", "*"),
        (
            ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
            "arn:aws:mock:eu-central-1:123456789012:Repository/housing-dev",
        ),
        (
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            ["arn:aws:mock:eu-central-1:123456789012:LogGroup//ecs/housing-dev:*"],
        ),
    ]


def test_captured_rows_need_their_own_log(scenario: Scenario) -> None:
    """Where rows are captured, the containers write to two logs, and to no third."""
    assert allowed(scenario("watched"), "execution")[2][1] == [
        f"arn:aws:mock:eu-central-1:123456789012:LogGroup//{name}/housing-dev:*" for name in ("ecs", "capture")
    ]


def test_a_given_image_opens_its_own_repository(scenario: Scenario) -> None:
    """An image that was promoted from another stack is read from there."""
    resources = [resource for _, resource in allowed(scenario("image"), "execution")]
    assert "arn:aws:ecr:eu-west-1:123456789012:repository/housing" in resources
    config = Config(stack="dev", region="eu-central-1", model_bucket="m")
    assert image_repository_arn(config, "ghcr.io/org/housing:1") is None


def test_the_secret_is_the_only_one(scenario: Scenario) -> None:
    """The API keys' secret may be read as a whole, even if one key or version of it is named."""
    secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys-AbCdEf"
    assert ("secretsmanager:GetSecretValue", secret) in allowed(scenario("no-nat"), "execution")
    assert "secretsmanager" not in json.dumps(allowed(scenario("dev"), "execution"))


def test_only_ecs_takes_the_roles(scenario: Scenario) -> None:
    """Both roles trust ECS's tasks."""
    roles = scenario("dev").all("aws:iam/role:Role")
    assert len(roles) == 2
    for role in roles:
        (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
