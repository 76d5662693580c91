"""The repository and the image in it."""

import json
from collections.abc import Callable

from stack.tasks.content import content_hash
from tests.stack.recording import ROOT, Recording

Scenario = Callable[[str], Recording]
# How Pulumi marks a secret on its way to the engine.
SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
IMAGE = "docker:index/image:Image"


def test_tags_never_move_and_pushes_are_scanned(scenario: Scenario) -> None:
    """A tag names one image for ever."""
    repository = scenario("dev").one("aws:ecr/repository:Repository").inputs
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}


def test_what_may_be_rolled_back_to_stays(scenario: Scenario) -> None:
    """Images go by their number, never by their age: a service that nobody touches for a year keeps its image."""
    (rule,) = json.loads(scenario("dev").one("aws:ecr/lifecyclePolicy:LifecyclePolicy").inputs["policy"])["rules"]
    assert rule["selection"] == {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 100}


def test_the_tag_is_the_content(scenario: Scenario) -> None:
    """The image is tagged with the hash of what goes into it, and built from here, wherever here is."""
    image = scenario("dev").one(IMAGE).inputs
    tag = content_hash(ROOT, platform="linux/amd64", build_args={})
    assert image["imageName"] == f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/housing-dev:{tag}"
    assert image["build"] == {
        "context": ".",
        "dockerfile": "Dockerfile",
        "platform": "linux/amd64",
        "builderVersion": "BuilderBuildKit",
    }


def test_tasks_run_the_digest(scenario: Scenario) -> None:
    """The task definition names the image that was pushed, byte for byte."""
    recording = scenario("dev")
    assert recording.container()["image"] == f"{recording.one(IMAGE).inputs['imageName']}@sha256:{'b' * 64}"


def test_one_setting_is_platform_and_architecture(scenario: Scenario) -> None:
    """No exec format error: what is built is what the tasks run."""
    for name, platform, architecture in (("dev", "linux/amd64", "X86_64"), ("spot-arm", "linux/arm64", "ARM64")):
        recording = scenario(name)
        assert recording.one(IMAGE).inputs["build"]["platform"] == platform
        assert recording.one("aws:ecs/taskDefinition:TaskDefinition").inputs["runtimePlatform"] == {
            "cpuArchitecture": architecture,
            "operatingSystemFamily": "LINUX",
        }


def test_a_given_image_is_not_built(scenario: Scenario) -> None:
    """With `image_uri`, CI or another stack has built it; the repository is still there to push to."""
    recording = scenario("image")
    assert recording.all(IMAGE) == []
    assert recording.container()["image"].endswith(f"@sha256:{'a' * 64}")
    assert len(recording.all("aws:ecr/repository:Repository")) == 1


def test_the_registrys_password_is_a_secret(scenario: Scenario) -> None:
    """It does not lie in the state in plain text."""
    registry = scenario("dev").one(IMAGE).inputs["registry"]
    assert registry[SIGNATURE] == SECRET
    assert registry["value"]["password"] == "login"
