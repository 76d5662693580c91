"""Keys of one's own: what is encrypted with them, what the tasks may decrypt, and a key that cannot be used."""

import json
from collections.abc import Callable

import boto3
import pytest

from stack.settings.loading import ConfigError, parse
from stack.storage.key import check_key
from tests.stack.published import ENCRYPTED_BUCKET, KEY, PREFIX, REGION, new_key
from tests.stack.recording import Recording, record

Scenario = Callable[[str], Recording]
POLICY = "aws:iam/rolePolicy:RolePolicy"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
AES = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}


def test_all_that_can_is_encrypted_with_it(scenario: Scenario) -> None:
    """Images, both log groups, the topic; and nothing is where no key is set."""
    keys, plain = scenario("keys"), scenario("dev")
    repository = "aws:ecr/repository:Repository"
    assert keys.one(repository).inputs["encryptionConfigurations"] == [{"encryptionType": "KMS", "kmsKey": KEY}]
    groups = keys.all("aws:cloudwatch/logGroup:LogGroup")
    assert [group.inputs["kmsKeyId"] for group in groups] == [KEY] * 2
    assert keys.one("aws:sns/topic:Topic").inputs["kmsMasterKeyId"] == KEY
    assert "kms" not in json.dumps([resource.inputs for resource in plain.resources]).lower()


def test_the_log_bucket_has_no_key(scenario: Scenario) -> None:
    """The balancer could not write its log there."""
    assert scenario("keys").one(ENCRYPTION).inputs["rules"] == [AES]


def test_a_bucket_of_the_stacks_for_models_has_it(scenario: Scenario) -> None:
    """With a bucket key, so that KMS is not asked for each object."""
    found = {resource.name: resource.inputs["rules"] for resource in scenario("keys-models").all(ENCRYPTION)}
    under_key = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}}
    assert found == {"models": [{**under_key, "bucketKeyEnabled": True}], "housing-dev-logs": [AES]}


def test_tasks_decrypt_the_models_and_nothing_else(scenario: Scenario) -> None:
    """Through S3, these objects; the key is the one that the models lie under, whatever the settings say."""
    statements = [
        (policy.inputs["role"], statement)
        for policy in scenario("keys").all(POLICY)
        for statement in scenario("keys").statements(policy)
        if statement["Action"] == "kms:Decrypt"
    ]
    ((role, statement),) = statements
    assert role == "housing-dev-task"
    bucket = f"arn:aws:s3:::{ENCRYPTED_BUCKET}"
    assert statement == {
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": KEY,
        "Condition": {
            "StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"},
            "ArnLike": {"kms:EncryptionContext:aws:s3:arn": [bucket, f"{bucket}/{PREFIX}/*"]},
        },
    }


def test_a_bucket_may_have_a_key_where_the_stack_has_none(models: str) -> None:
    """And the other way round: the settings' key is not the models'."""
    theirs = record("dev", {"model_bucket": ENCRYPTED_BUCKET})
    assert "kms:Decrypt" in json.dumps([policy.inputs["policy"] for policy in theirs.all(POLICY)])
    ours = record("dev", {"kms_key_arn": KEY})
    assert "kms:" not in json.dumps([policy.inputs["policy"] for policy in ours.all(POLICY)])


def test_policies_are_others_under_another_key(scenario: Scenario) -> None:
    """The repository is another then: the running tasks keep the right to the old one until new tasks run."""
    names = [{policy.name for policy in scenario(name).all(POLICY)} for name in ("prod", "prod-keys")]
    assert names[0].isdisjoint(names[1])


def test_a_key_that_cannot_be_used_is_refused(moto_url: str) -> None:
    """None at all, one that is switched off, one that signs; in the preview, by its setting."""
    kms = boto3.client("kms", region_name=REGION)
    off = new_key("00000001-4f50-6172-8394-a5b6c7d8e9f0")
    signing = new_key("00000002-4f50-6172-8394-a5b6c7d8e9f0", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    kms.disable_key(KeyId=off.rpartition("/")[2])
    none = KEY.replace("0b1c", "dead")

    for arn, said in (
        (off, "the key is Disabled; enable it, or use another"),
        (signing, "the key is RSA_2048; use a symmetric one that encrypts"),
        (none, "cannot be looked up: An error occurred .NotFoundException"),
    ):
        with pytest.raises(ConfigError, match=f"kms_key_arn = '{arn}': {said}"):
            check_key(parse({"model_bucket": "models", "kms_key_arn": arn}, stack="dev", region=REGION))


def test_without_a_key_nothing_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor needs the deployer a right to KMS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    check_key(parse({"model_bucket": "models"}, stack="dev", region=REGION))
