"""The workflows' roles, created for dev and prod from their template in an emulated AWS account."""

import dataclasses
from typing import Any

import boto3
import yaml

from tests.stack.published import KEY, REGION
from tests.stack.recording import ACCOUNT, ROOT

TEMPLATE = ROOT / ".github" / "deployer.yaml"
PARAMETERS = {
    "Repository": "owner/name",
    "ModelBucket": "the-models",
    "StateBucket": "the-state",
    "TablesBucket": "the-tables",
    "HostedZoneId": "Z1",
    "KeyArns": KEY,
    # moto cannot create one.
    "OidcProvider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
}


@dataclasses.dataclass(frozen=True)
class Account:
    """What the template made of roles and policies, its references resolved."""

    trust: dict[str, dict[str, Any]]
    """Trust policy by role."""
    policies: dict[str, dict[str, Any]]
    """Policy document by the managed policy's name, or the role's for inline ones."""
    outputs: dict[str, dict[str, str]]
    """Outputs by stack."""

    def statements(self, prefix: str = "") -> list[dict[str, Any]]:
        """All statements of the policies whose name starts with `prefix`, actions and resources as lists."""
        return [
            {
                **statement,
                "Action": as_list(statement["Action"]),
                "Resource": as_list(statement["Resource"]),
            }
            for name, document in self.policies.items()
            if name.startswith(prefix)
            for statement in document["Statement"]
        ]


def as_list(value: str | list[str]) -> list[str]:
    """Policies write one value without brackets."""
    return [value] if isinstance(value, str) else value


def apply_template(*stacks: str, **parameters: str) -> Account:
    """What an administrator gets who applies the template for each of the stacks."""
    formation = boto3.client("cloudformation", region_name=REGION)
    outputs = {}
    for stack in stacks:
        name = f"deployer-{parameters.get('Name', 'housing')}-{stack}"
        given = {**PARAMETERS, **parameters, "Stack": stack}
        formation.create_stack(
            StackName=name,
            TemplateBody=TEMPLATE.read_text(),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        )
        described = formation.describe_stacks(StackName=name)["Stacks"][0]
        outputs[stack] = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    iam = boto3.client("iam", region_name=REGION)
    trust: dict[str, Any] = {}
    policies: dict[str, Any] = {}
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        trust[name] = role["AssumeRolePolicyDocument"]
        for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=inline)["PolicyDocument"]
            # moto keeps what a template puts inside a role in Python's spelling, which is YAML as well.
            policies[name] = yaml.safe_load(document)
    for policy in iam.list_policies(Scope="Local")["Policies"]:
        version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
        policies[policy["PolicyName"]] = version["PolicyVersion"]["Document"]
    return Account(trust, policies, outputs)
