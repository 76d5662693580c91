"""The configuration: defaults, the rules between settings, and messages that say what to do."""

import dataclasses

import pytest

from stack.config import Config, ScheduledCapacity, settings
from stack.reference import PAGE, page
from stack.settings import FARGATE_MEMORY, ConfigError, parse

REQUIRED = {"model_bucket": "housing-models"}


def parsed(**given: str) -> Config:
    return parse(REQUIRED | given, stack="dev", region="eu-central-1")


def problems(**given: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        parsed(**given)
    return [line.removeprefix("  - ") for line in str(error.value).splitlines()[1:]]


def test_one_setting_is_enough() -> None:
    """A first deployment sets the model's bucket and nothing else."""
    config = parsed()
    assert config == Config(stack="dev", region="eu-central-1", model_bucket="housing-models")
    assert config.model_path == "mlflow/models/california-housing/latest"


def test_the_configuration_is_frozen() -> None:
    """Nothing changes a setting after it was checked."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        parsed().__setattr__("cpu", 512)


def test_settings_are_read_by_their_type() -> None:
    """Pulumi stores text: numbers, truth values and lists become what the setting says they are."""
    config = parsed(
        cpu="1024",
        memory="2048",
        protected="true",
        deployment_strategy="canary",
        canary_percent="12.5",
        allowed_cidrs='["203.0.113.0/24"]',
        schedule='[{"name": "night", "schedule": "cron(0 20 * * ? *)", "min_tasks": 1, "max_tasks": 2}]',
    )
    assert (config.cpu, config.memory, config.protected, config.canary_percent) == (1024, 2048, True, 12.5)
    assert config.allowed_cidrs == ("203.0.113.0/24",)
    assert config.schedule == (
        ScheduledCapacity(name="night", schedule="cron(0 20 * * ? *)", min_tasks=1, max_tasks=2),
    )


def test_the_missing_bucket_is_asked_for() -> None:
    """Without the one required setting, the message says how to set it."""
    with pytest.raises(ConfigError, match="model_bucket: missing; set it with `pulumi config set model_bucket BUCKET`"):
        parse({}, stack="dev", region="eu-central-1")


def test_all_problems_are_in_one_message() -> None:
    """Ten mistakes are one run, not ten."""
    found = problems(
        modelbucket="typo",
        cpu="300",
        nat="sometimes",
        protected="perhaps",
        desired_count="9",
        vpc_cidr="10.0.0.0/99",
        domain_name="api.example.com",
        log_retention_days="8",
        availability_zones="1",
        allowed_cidrs="everybody",
    )
    keys = [
        "allowed_cidrs",
        "availability_zones",
        "cpu",
        "domain_name",
        "log_retention_days",
        "min_tasks",
        "modelbucket",
        "nat",
        "protected",
        "vpc_cidr",
    ]
    assert [problem.split(" ")[0].rstrip(":,") for problem in found] == keys


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"modelpath": "x"}, "modelpath: no such setting; the settings are model_bucket, model_path"),
        ({"nat": "some"}, "nat = 'some': use one of single, per_az, none"),
        ({"cpu_architecture": "arm"}, "cpu_architecture = 'arm': use one of X86_64, ARM64"),
        ({"deployment_strategy": "blue"}, "deployment_strategy = 'blue': use one of rolling, canary"),
        ({"protected": "maybe"}, "protected = 'maybe': use true or false"),
        ({"cpu": "many"}, "cpu = 'many': Expected `int`"),
        ({"cpu": "300"}, "cpu = 300: use one of 256, 512, 1024, 2048, 4096, 8192, 16384"),
        ({"memory": "4096"}, "memory = 4096: with cpu = 256 use one of 512, 1024, 2048"),
        ({"availability_zones": "1"}, "availability_zones = '1': Expected `int` >= 2"),
        ({"min_tasks": "3"}, "min_tasks, desired_count, max_tasks = 3, 2, 6: must not decrease"),
        ({"max_tasks": "1"}, "min_tasks, desired_count, max_tasks = 2, 2, 1: must not decrease"),
        ({"log_retention_days": "13"}, "log_retention_days = 13: use one of 1, 3, 5, 7, 14"),
        ({"vpc_cidr": "10.0.0.0/24"}, "vpc_cidr = '10.0.0.0/24': use a private IPv4 network of /16 to /20"),
        ({"vpc_cidr": "8.8.0.0/16"}, "vpc_cidr = '8.8.0.0/16': use a private IPv4 network"),
        ({"allowed_cidrs": '["10.0.0.1/8"]'}, "allowed_cidrs: '10.0.0.1/8' is not an IPv4 network"),
        ({"allowed_cidrs": "[]"}, "allowed_cidrs = []: nobody could call"),
        ({"firewall_cidrs": '["0.0.0.0/0"]'}, "firewall_cidrs: the firewall takes no 0.0.0.0/0"),
        ({"allowed_countries": '["Germany"]'}, "allowed_countries = '[\"Germany\"]'"),
        ({"canary_percent": "5"}, "canary_percent = 5.0: only with deployment_strategy = canary"),
        ({"bake_minutes": "5"}, "bake_minutes = 5: only with deployment_strategy = canary"),
        (
            {"deployment_strategy": "canary", "canary_percent": "100"},
            "canary_percent = '100': Expected `float` <= 99.9",
        ),
        (
            {"deployment_strategy": "canary", "requests_target": "100", "max_tasks": "4", "canary_percent": "1"},
            "canary_percent = 1: of the 400 requests a minute that max_tasks and requests_target scale for, a canary",
        ),
        ({"deployment_strategy": "canary", "canary_minutes": "4"}, "canary_minutes = '4': Expected `int` >= 5"),
        ({"deployment_strategy": "canary", "bake_minutes": "1441"}, "bake_minutes = '1441': Expected `int` <= 1440"),
        ({"domain_name": "a.example.com"}, "domain_name = 'a.example.com': set hosted_zone or certificate_arn"),
        ({"hosted_zone": "example.com"}, "hosted_zone = 'example.com': set domain_name"),
        (
            {"domain_name": "a.example.org", "hosted_zone": "example.com"},
            "domain_name = 'a.example.org': does not lie in hosted_zone = 'example.com'",
        ),
        (
            {
                "domain_name": "a.example.com",
                "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/1",
            },
            "must be a certificate in aws:region = 'eu-central-1'",
        ),
        ({"api_keys_secret": "keys"}, "api_keys_secret = 'keys'"),
        ({"model_bucket": "Not A Bucket"}, "model_bucket = 'Not A Bucket'"),
        ({"model_path": "models/"}, "model_path = 'models/'"),
        (
            {"schedule": '[{"name": "n", "schedule": "cron(0 1 * * ? *)", "min_tasks": 3, "max_tasks": 2}]'},
            "schedule 'n': min_tasks = 3 exceeds max_tasks = 2",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(given: dict[str, str], message: str) -> None:
    """Each message names the key, the value and what to use instead."""
    assert [problem for problem in problems(**given) if message in problem], problems(**given)


def test_the_region_must_exist() -> None:
    """A misspelled region is not left to AWS."""
    with pytest.raises(ConfigError, match=r"aws:region = 'eu-centrl-1': use one of .*eu-central-1"):
        parse(REQUIRED, stack="dev", region="eu-centrl-1")


def test_every_fargate_size_is_accepted() -> None:
    """The pairs of CPU and memory that Fargate offers are exactly those that the configuration takes."""
    assert sum(len(sizes) for sizes in FARGATE_MEMORY.values()) == 3 + 4 + 7 + 13 + 23 + 12 + 12
    for cpu, sizes in FARGATE_MEMORY.items():
        for memory in sizes:
            assert parsed(cpu=str(cpu), memory=str(memory)).memory == memory


@pytest.mark.parametrize("stack", ["dev", "prod", "feature/A_very.long-stack-name"])
def test_names_fit_into_aws(stack: str) -> None:
    """A load balancer's name has 32 characters; Pulumi's suffix takes 8 and the second target group's 2."""
    name = parse(REQUIRED, stack=stack, region="eu-central-1").name
    assert len(name) <= 22
    assert name.replace("-", "").isalnum()
    assert not name.endswith("-")


def test_every_setting_is_documented() -> None:
    """The tables in docs/configuration.md are those that the code writes."""
    assert set(settings()) == {field.name for field in dataclasses.fields(Config)} - {"stack", "region", "profile"}
    written = PAGE.read_text()
    assert page(written) == written, "run `python -m stack.reference`"
