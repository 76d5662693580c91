"""The `aws:` settings: each reaches the provider and what is looked up before it, or is refused by its name."""

import inspect
import json
import re
from typing import Any

import boto3
import msgspec
import pulumi_aws as aws
import pytest

from stack.settings.account import INSTEAD, Account, AssumedRole
from stack.settings.loading import ConfigError, parse
from stack.storage.model import ModelError, find
from tests.stack.published import PREFIX, REGION
from tests.stack.recording import ACCOUNT, record

ROLE = f"arn:aws:iam::{ACCOUNT}:role/elsewhere"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"

GIVEN: dict[str, tuple[str, Any]] = {
    "accessKey": ("testing", "testing"),
    "allowedAccountIds": (f"[{ACCOUNT}]", [ACCOUNT]),
    "assumeRoles": (json.dumps([{"roleArn": ROLE}]), [{"roleArn": ROLE}]),
    "defaultTags": ('{"tags": {"Owner": "me"}}', None),
    "endpoints": ('[{"sqs": "http://127.0.0.1:1"}]', [{"sqs": "http://127.0.0.1:1"}]),
    "forbiddenAccountIds": ('["000000000000"]', ["000000000000"]),
    "ignoreTags": ('{"keyPrefixes": ["other:"]}', {"keyPrefixes": ["other:"]}),
    "maxRetries": ("3", 3),
    "profile": ("default", "default"),
    "retryMode": ("adaptive", "adaptive"),
    "s3UsEast1RegionalEndpoint": ("regional", "regional"),
    "s3UsePathStyle": ("true", True),
    "secretKey": ("testing", "testing"),
    "skipCredentialsValidation": ("true", True),
    "skipMetadataApiCheck": ("true", True),
    "skipRegionValidation": ("false", False),
    "skipRequestingAccountId": ("true", True),
    "stsRegion": (REGION, REGION),
    "tagPolicyCompliance": ("warning", "warning"),
    "token": ("testing", "testing"),
    "tokenBucketRateLimiterCapacity": ("500", 500),
    "userAgents": ('["ci"]', ["ci"]),
}
"""Each setting as Pulumi stores it, and as it must reach the provider."""


KEYS = ("accessKey", "secretKey", "token")


def reached(settings: dict[str, str]) -> dict[str, Any]:
    """What the provider gets, as the engine sees it."""
    (provider,) = record("dev", {f"aws:{key}": text for key, text in settings.items()}).all("pulumi:providers:aws")
    return provider.inputs


def plain(value: Any) -> Any:
    """A provider's input: secrets are marked, and all but text is JSON."""
    if isinstance(value, dict) and SECRET_SIGNATURE in value.values():
        return plain(value["value"])
    try:
        return json.loads(value)
    except (TypeError, json.JSONDecodeError):
        return value


def test_no_setting_of_the_provider_is_forgotten() -> None:
    """Whatever the provider can be told is passed on or refused: a new release with another setting fails here."""
    known = set(inspect.signature(aws.ProviderArgs.__init__).parameters) - {"__self__"}
    passed = {field.name for field in msgspec.structs.fields(Account)}
    refused = {re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower() for key in INSTEAD}
    assert passed.isdisjoint(refused)
    assert passed | refused | {"region"} == known
    assert GIVEN.keys() == {field.encode_name for field in msgspec.structs.fields(Account)}


@pytest.mark.parametrize("key", sorted(GIVEN.keys() - {"defaultTags", *KEYS, "profile"}))
def test_a_setting_reaches_the_provider(models: str, key: str) -> None:
    """Under its name, and as its type."""
    text, expected = GIVEN[key]
    assert plain(reached({key: text})[key]) == expected


def test_keys_reach_the_provider_as_secrets(models: str) -> None:
    """They do not lie in the state in plain text."""
    inputs = reached({key: GIVEN[key][0] for key in KEYS})
    for key in KEYS:
        assert SECRET_SIGNATURE in inputs[key].values(), key
        assert plain(inputs[key]) == "testing"


def test_tags_of_ones_own_come_beside_the_stacks(models: str) -> None:
    """And cannot replace them, since a deployer's rights hang on `Stack`."""
    tags = plain(reached({"defaultTags": '{"tags": {"Owner": "me", "Stack": "prod"}}'})["defaultTags"])["tags"]
    assert tags == {"Owner": "me", "Project": "california-housing-api", "Stack": "dev", "ManagedBy": "pulumi"}


def test_a_role_is_taken_for_the_model_as_for_the_rest(models: str) -> None:
    """The provider is told the role, and the model is read with the role's credentials."""
    role = {"roleArn": ROLE, "externalId": "us", "tags": {"Team": "housing"}}
    assert plain(reached({"assumeRoles": json.dumps([role])})["assumeRoles"]) == [role]
    identity = Account(assume_roles=(AssumedRole(role_arn=ROLE),)).client("sts", REGION).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/elsewhere/pulumi"
    assert boto3.client("sts").get_caller_identity()["Arn"] != identity["Arn"]


def test_endpoints_hold_for_what_is_looked_up(models: str) -> None:
    """Nothing is read from elsewhere than the provider would."""
    aws_settings = {"endpoints": '[{"s3": "http://127.0.0.1:1"}]', "s3UsePathStyle": "true"}
    config = parse({"model_bucket": models}, stack="dev", region=REGION, aws=aws_settings)
    with pytest.raises(ModelError, match=f'URL: "http://127.0.0.1:1/{models}/{PREFIX}/latest/manifest.json"'):
        find(config)


def problems(**settings: str) -> str:
    with pytest.raises(ConfigError) as error:
        parse({"model_bucket": "b-1"}, stack="dev", region=REGION, aws=settings)
    return str(error.value)


@pytest.mark.parametrize("key", INSTEAD)
def test_what_look_ups_would_not_heed_is_refused(key: str) -> None:
    """By its name, with the environment variable that holds for both."""
    message = problems(**{key: "true"})
    assert f"  - aws:{key}: what is looked up before the provider would not heed it; set {INSTEAD[key]}" in message


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"allowedAccountId": "[1]"}, "aws:allowedAccountId: no such setting; the settings are region, accessKey"),
        ({"assumeRole": "{}"}, "aws:assumeRole: no such setting"),
        ({"allowedAccountIds": "123456789012"}, "aws:allowedAccountIds: use JSON, as the AWS provider documents it"),
        ({"assumeRoles": '[{"rolearn": "x"}]'}, "aws:assumeRoles: use JSON, as the AWS provider documents it (Object"),
        ({"maxRetries": "many"}, "aws:maxRetries: use a whole number"),
        ({"retryMode": "fast"}, "aws:retryMode: use one of adaptive, standard"),
        ({"accessKey": "a"}, "aws:accessKey, aws:secretKey: set both or none"),
        (
            {"allowedAccountIds": "[1]", "forbiddenAccountIds": "[2]"},
            "aws:allowedAccountIds, aws:forbiddenAccountIds: set one of the two",
        ),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, str], words: str) -> None:
    """Nothing that somebody sets is ignored in silence."""
    assert words in problems(**settings)


def test_a_wrong_key_is_not_repeated() -> None:
    """Messages end in logs: a secret that is not taken is not shown."""
    assert "hunter2" not in problems(secretKey="hunter2", maxRetries="hunter2")
