"""Which model is deployed: read from the bucket, and refused before anything is touched unless it is complete."""

from collections.abc import Iterator
from typing import Any

import pytest

from api.store import manifest
from stack.settings.account import Account
from stack.settings.config import Config
from stack.storage.model import ModelError, find
from tests.stack.published import BUCKET, PREFIX, REGION, new_bucket, publish
from tests.stack.recording import record


@pytest.fixture
def bucket(s3: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """A bucket for one test."""
    name = "t-" + request.node.name.replace("_", "-")[:60].strip("-")
    yield new_bucket(s3, name)
    for version in s3.list_object_versions(Bucket=name).get("Versions", []):
        s3.delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])


def config(bucket: str, path: str = f"{PREFIX}/latest", **settings: Any) -> Config:
    return Config(stack="dev", region=REGION, model_bucket=bucket, model_path=path, **settings)


def test_latest_is_deployed_as_the_version_it_is(s3: Any, bucket: str) -> None:
    """Tasks started later must find the model of this deployment, whatever `latest` is by then."""
    raw = manifest.encode(publish(s3, bucket, "6", latest=True))
    model = find(config(bucket))
    assert model is not None
    assert (model.path, model.version, model.sha256) == (f"{PREFIX}/6", "6", manifest.identity(raw))


def test_a_version_is_deployed_as_configured(s3: Any, bucket: str) -> None:
    """Rolling back names a version; the newest one does not matter."""
    publish(s3, bucket, "5")
    publish(s3, bucket, "6", latest=True)
    model = find(config(bucket, f"{PREFIX}/5"))
    assert model is not None
    assert (model.path, model.version) == (f"{PREFIX}/5", "5")


def test_a_directory_without_its_version_beside_it_is_deployed_itself(s3: Any, bucket: str) -> None:
    """A copied model has no immutable directory to point at; its identity still pins it."""
    publish(s3, bucket, "6", latest=True)
    s3.delete_object(Bucket=bucket, Key=f"{PREFIX}/6/manifest.json")
    model = find(config(bucket))
    assert model is not None
    assert model.path == f"{PREFIX}/latest"


def test_a_latest_that_is_being_replaced_does_not_matter(s3: Any, bucket: str) -> None:
    """While a newer model's files arrive in `latest`, its manifest still names the version that is whole."""
    publish(s3, bucket, "6", latest=True)
    s3.put_object(Bucket=bucket, Key=f"{PREFIX}/latest/model.ubj", Body=b"half of 7")
    model = find(config(bucket))
    assert model is not None
    assert model.path == f"{PREFIX}/6"


def test_another_model_has_another_identity(s3: Any, bucket: str) -> None:
    """Publishing a new `latest` changes what the next `pulumi up` deploys."""
    publish(s3, bucket, "6", latest=True)
    before = find(config(bucket))
    publish(s3, bucket, "7", latest=True)
    after = find(config(bucket))
    assert before is not None
    assert after is not None
    assert (before.version, after.version) == ("6", "7")
    assert before.sha256 != after.sha256


def test_no_model_names_bucket_and_key(bucket: str) -> None:
    """The message says where a model was looked for and how to get one there."""
    with pytest.raises(ModelError) as error:
        find(config(bucket))
    assert f"s3://{bucket}/{PREFIX}/latest" in str(error.value)
    assert f"no key {PREFIX}/latest/manifest.json" in str(error.value)
    assert f"python -m training publish --store s3://{bucket}" in str(error.value)


def test_the_store_of_a_missing_model_is_named(s3: Any, bucket: str) -> None:
    """Whoever is told to publish gets the store that `model_path` belongs to, with its prefix."""
    stores = {f"{PREFIX}/latest": "", f"team/a/{PREFIX}/latest": "/team/a", "somewhere/else": ""}
    for path, prefix in stores.items():
        with pytest.raises(ModelError) as error:
            find(config(bucket, path))
        assert f"`python -m training publish --store s3://{bucket}{prefix}`" in str(error.value)


@pytest.mark.parametrize(("damage", "words"), [(None, "is missing"), (b"half", "has 4 bytes instead of 10")])
def test_an_incomplete_model_is_refused(s3: Any, damage: bytes | None, words: str) -> None:
    """A file that is missing or has another size is named by its key."""
    bucket = new_bucket(s3, f"t-incomplete-{len(words)}")
    publish(s3, bucket, "6")
    key = f"{PREFIX}/6/model.ubj"
    s3.delete_object(Bucket=bucket, Key=key)
    if damage:
        s3.put_object(Bucket=bucket, Key=key, Body=damage)
    with pytest.raises(ModelError, match=f"key {key} {words}"):
        find(config(bucket, f"{PREFIX}/6"))


def test_a_broken_manifest_is_refused(s3: Any, bucket: str) -> None:
    """What is not a manifest is not deployed."""
    s3.put_object(Bucket=bucket, Key=f"{PREFIX}/6/manifest.json", Body=b'{"format": 2}')
    with pytest.raises(ModelError, match=f"s3://{bucket}/{PREFIX}/6/manifest.json is not a manifest"):
        find(config(bucket, f"{PREFIX}/6"))


def test_a_manifest_of_another_format_is_refused(s3: Any, bucket: str) -> None:
    """A model that an older program published is refused with what to do."""
    s3.put_object(Bucket=bucket, Key=f"{PREFIX}/6/manifest.json", Body=b"{}")
    with pytest.raises(ModelError, match="format 1, and this program reads 2: publish the model again"):
        find(config(bucket, f"{PREFIX}/6"))


def test_a_bucket_that_does_not_exist_is_named() -> None:
    """A typing error in the bucket's name is no first deployment unless the configuration says so."""
    with pytest.raises(ModelError) as error:
        find(config("t-nowhere"))
    assert str(error.value) == (
        "model_bucket = 't-nowhere': there is no such bucket. Correct the name, or let the stack create it: "
        "`pulumi config set create_model_bucket true`"
    )


def test_an_unknown_profile_is_named() -> None:
    """Credentials that do not exist are one line, not a trace."""
    with pytest.raises(ModelError, match=r"The config profile \(nobody\) could not be found"):
        find(config("t-nowhere", account=Account(profile="nobody")))


def test_a_first_deployment_needs_no_model(bucket: str) -> None:
    """With `create_model_bucket` there may be no bucket yet, or one that never held anything."""
    assert find(config("t-not-yet", create_model_bucket=True)) is None
    assert find(config(bucket, create_model_bucket=True)) is None


def test_an_emptied_bucket_is_no_first_deployment(s3: Any, bucket: str) -> None:
    """Deleting all models must not make `pulumi up` take the running service away."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    publish(s3, bucket, "6")
    for name in ("MLmodel", "model.ubj", "manifest.json"):
        s3.delete_object(Bucket=bucket, Key=f"{PREFIX}/6/{name}")
    with pytest.raises(ModelError, match="no model"):
        find(config(bucket, create_model_bucket=True))


def test_the_program_stops_before_it_registers_anything(models: str) -> None:
    """A path without a model fails in the preview: no resource is touched, the provider included."""
    with pytest.raises(ModelError, match=f"no key {PREFIX}/9/manifest.json"):
        record("dev", {"model_bucket": BUCKET, "model_path": f"{PREFIX}/9"})


def test_the_first_deployment_creates_the_bucket_and_says_what_is_next(moto_url: str) -> None:
    """An empty account: the first run makes the bucket only, and names the command that fills it."""
    recording = record("dev", {"model_bucket": "t-first", "create_model_bucket": "true"})
    custom = {resource.type for resource in recording.resources if resource.custom}
    assert {type_.split("/")[0] for type_ in custom} == {"pulumi:providers:aws", "aws:s3"}
    again = record("dev", {"model_bucket": "t-first", "create_model_bucket": "true"}, last_outputs=recording.outputs)
    assert again.outputs == recording.outputs
    assert recording.outputs == {
        "next_step": "python -m training publish --store s3://t-first, then pulumi up again",
    }


def test_a_stack_that_runs_is_no_first_deployment(moto_url: str) -> None:
    """Somebody deleted its bucket: the program stops, so that Pulumi deletes nothing, and says how to go on."""
    with pytest.raises(ModelError, match=r"this stack runs the service housing-dev-1a2b3c4.*aws s3 mb s3://t-gone"):
        record(
            "dev",
            {"model_bucket": "t-gone", "create_model_bucket": "true"},
            last_outputs={"ecs_service": "housing-dev-1a2b3c4"},
        )


def test_the_model_bucket_survives_everything(moto_url: str) -> None:
    """`pulumi destroy` never deletes models: the bucket is protected, retained, versioned and not emptied."""
    recording = record("dev", {"model_bucket": "t-first", "create_model_bucket": "true"})
    bucket = recording.one("aws:s3/bucket:Bucket")
    assert bucket.inputs["bucket"] == "t-first"
    assert bucket.inputs["forceDestroy"] is False
    assert bucket.protect
    settings = [resource for resource in recording.resources if resource.custom and resource.type.startswith("aws:s3/")]
    assert len(settings) == 7
    assert all(resource.retain for resource in settings)
    versioning = recording.one("aws:s3/bucketVersioning:BucketVersioning")
    assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}
    lifecycle = recording.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    assert ["expiration" in rule for rule in lifecycle.inputs["rules"]] == [False]


def test_a_bucket_of_somebody_else_is_left_alone(scenario: Any) -> None:
    """Without `create_model_bucket`, the stack reads the bucket and does not manage it."""
    assert [bucket.name for bucket in scenario("dev").all("aws:s3/bucket:Bucket")] == ["housing-dev-logs"]
