"""The configuration: defaults, the rules between settings, and messages that say what to do."""

import dataclasses
import json

import pytest

from stack.settings.config import Config, settings
from stack.settings.kinds import ScheduledCapacity
from stack.settings.loading import ConfigError, parse
from stack.settings.reference import PAGE, page
from stack.settings.rules import FARGATE_MEMORY

REQUIRED = {"model_bucket": "housing-models"}
THERE = {
    "vpc_id": "vpc-0a",
    "private_subnet_ids": '["subnet-0a", "subnet-0b"]',
    "public_subnet_ids": '["subnet-0c", "subnet-0d"]',
}


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
        ({"nat": "some"}, "nat = 'some': use one of none, per_az, single"),
        ({"cpu_architecture": "arm"}, "cpu_architecture = 'arm': use one of ARM64, X86_64"),
        ({"deployment_strategy": "blue"}, "deployment_strategy = 'blue': use one of canary, rolling"),
        ({"protected": "maybe"}, "protected = 'maybe': use true or false"),
        ({"cpu": "many"}, "cpu = 'many': use a whole number"),
        ({"min_tasks": "0"}, "min_tasks = '0': use a whole number of 1 or more"),
        ({"cpu_target": "99"}, "cpu_target = '99': use a whole number from 10 to 90"),
        ({"cpu": "300"}, "cpu = 300: use one of 256, 512, 1024, 2048, 4096, 8192, 16384"),
        ({"memory": "4096"}, "memory = 4096: with cpu = 256 use one of 512, 1024, 2048"),
        ({"availability_zones": "1"}, "availability_zones = '1': use a number from 2 to 4, or so many names, such as"),
        ({"availability_zones": "two"}, "availability_zones = 'two': use a number from 2 to 4"),
        ({"availability_zones": '["eu-central-1a"]'}, "use a number from 2 to 4, or so many names"),
        (
            {"availability_zones": '["eu-central-1a", "eu-central-1a"]'},
            "availability_zones: 'eu-central-1a' is listed twice",
        ),
        ({"min_tasks": "3"}, "min_tasks, desired_count, max_tasks = 3, 2, 6: must not decrease"),
        ({"max_tasks": "1"}, "min_tasks, desired_count, max_tasks = 2, 2, 1: must not decrease"),
        ({"capture_percent": "101"}, "capture_percent = '101': use a number from 0 to 100"),
        ({"capture_retention_days": "15"}, "capture_retention_days = 15: use one of 1, 3, 5, 7, 14"),
        ({"model_metrics": "all"}, "model_metrics = 'all': use one of features, model, none"),
        (
            {"metrics_from_security_group": "prometheus"},
            "metrics_from_security_group = 'prometheus': use the id of a security group, such as sg-0a1b2c3d4e5f60718",
        ),
        ({"log_retention_days": "13"}, "log_retention_days = 13: use one of 1, 3, 5, 7, 14"),
        (
            {"vpc_cidr": "10.0.0.0/24"},
            "vpc_cidr = '10.0.0.0/24': use a network of /16 to /20 in 10.0.0.0/8, 172.16.0.0/12",
        ),
        ({"vpc_cidr": "8.8.0.0/16"}, "vpc_cidr = '8.8.0.0/16': use a network of /16 to /20"),
        ({"vpc_cidr": "127.0.0.0/16"}, "vpc_cidr = '127.0.0.0/16': use a network of /16 to /20"),
        ({"vpc_cidr": "169.254.0.0/16"}, "vpc_cidr = '169.254.0.0/16': use a network of /16 to /20"),
        ({"vpc_cidr": "10.0.0.0/255.255.0.0"}, "vpc_cidr = '10.0.0.0/255.255.0.0': write 10.0.0.0/16"),
        ({"vpc_cidr": "10.0.0.1/16"}, "vpc_cidr = '10.0.0.1/16': write 10.0.0.0/16"),
        ({"vpc_cidr": "network"}, "vpc_cidr = 'network': use an IPv4 network"),
        ({"allowed_cidrs": "1.2.3.4"}, "allowed_cidrs = '1.2.3.4': use a list in JSON, such as [\"203.0.113.0/24\"]"),
        ({"allowed_cidrs": '["10.0.0.1/8"]'}, "allowed_cidrs: '10.0.0.1/8': write 10.0.0.0/8"),
        ({"allowed_cidrs": '["203.0.113.5"]'}, "allowed_cidrs: '203.0.113.5': write 203.0.113.5/32"),
        ({"allowed_cidrs": '["10.0.0.0/255.0.0.0"]'}, "allowed_cidrs: '10.0.0.0/255.0.0.0': write 10.0.0.0/8"),
        ({"allowed_cidrs": '["office"]'}, "allowed_cidrs: 'office': use an IPv4 network, such as 203.0.113.0/24"),
        ({"allowed_cidrs": '["10.0.0.0/8", "10.0.0.0/8"]'}, "allowed_cidrs: '10.0.0.0/8' is listed twice"),
        ({"allowed_cidrs": "[]"}, "allowed_cidrs = []: nobody could call"),
        ({"firewall_cidrs": '["0.0.0.0/0"]'}, "firewall_cidrs: the firewall takes no 0.0.0.0/0"),
        ({"firewall_cidrs": '["203.0.113.5"]'}, "firewall_cidrs: '203.0.113.5': write 203.0.113.5/32"),
        (
            {"unlimited_cidrs": '["0.0.0.0/0"]'},
            "unlimited_cidrs: the firewall takes no 0.0.0.0/0; raise requests_per_ip",
        ),
        ({"unlimited_cidrs": '["10.0.0.1/8"]'}, "unlimited_cidrs: '10.0.0.1/8': write 10.0.0.0/8"),
        ({"requests_per_ip": "9"}, "requests_per_ip = '9': use a whole number from 10 to 2000000000"),
        ({"log_requests": "none"}, "log_requests = 'none': use one of all, errors"),
        ({"allowed_countries": '["Germany"]'}, 'use a list of two-letter codes in JSON, such as ["DE", "FR"]'),
        ({"alarm_email": "me"}, "alarm_email = 'me': use an address, such as ops@example.com"),
        (
            {"nat": "none", "image_uri": "ghcr.io/org/housing:1"},
            "image_uri = 'ghcr.io/org/housing:1': with nat = none it must lie in ECR in eu-central-1",
        ),
        (
            {"nat": "none", "image_uri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/housing:1"},
            "with nat = none it must lie in ECR in eu-central-1",
        ),
        (
            {
                "nat": "none",
                "api_keys_secret": "arn:aws:secretsmanager:us-east-1:123456789012:secret:housing-keys-AbCdEf",
            },
            "with nat = none it must lie in eu-central-1",
        ),
        ({"vpc_id": "vpc-1-main"}, "vpc_id = 'vpc-1-main': use the id of a network, such as vpc-0a1b2c3d4e5f60718"),
        ({"private_subnet_ids": "subnet-0a"}, "private_subnet_ids = 'subnet-0a': use a list in JSON, such as"),
        (
            {"private_subnet_ids": '["subnet-0a"]'},
            "private_subnet_ids: set vpc_id as well, the network that they lie in",
        ),
        ({"endpoints": "present"}, "endpoints = 'present': a new network has none; set vpc_id as well, or remove it"),
        ({**THERE, "vpc_cidr": "10.1.0.0/16"}, "vpc_cidr: only for a new network; with vpc_id the subnets decide"),
        ({**THERE, "availability_zones": "3"}, "availability_zones: only for a new network; with vpc_id the subnets"),
        ({"vpc_id": "vpc-0a"}, "vpc_id = 'vpc-0a': set private_subnet_ids as well, one in each of two or more zones"),
        ({"vpc_id": "vpc-0a"}, "vpc_id = 'vpc-0a': set public_subnet_ids as well, or internal = true"),
        (
            {**THERE, "internal": "true"},
            "public_subnet_ids: an internal load balancer is in the private ones; remove it",
        ),
        (
            {**THERE, "public_subnet_ids": '["subnet-0a"]'},
            "private_subnet_ids, public_subnet_ids: 'subnet-0a' is listed twice",
        ),
        ({**THERE, "endpoints": "present"}, "endpoints = 'present': only with nat = none, where tasks need them"),
        (
            {**THERE, "allowed_security_groups": '["sg-0a"]'},
            "allowed_security_groups: set internal = true; a public load balancer sees callers' public addresses only",
        ),
        ({"internal": "true", "allowed_security_groups": '["sg-0a"]'}, "allowed_security_groups: set vpc_id as well"),
        ({"allowed_security_groups": '["callers"]'}, 'use a list in JSON, such as ["sg-0a1b2c3d4e5f60718"]'),
        (
            {"internal": "true", "requests_per_ip": "500"},
            "requests_per_ip: there is no firewall to heed it; set firewall",
        ),
        ({"firewall": "false", "allowed_countries": '["DE"]'}, "allowed_countries: there is no firewall to heed it"),
        ({"internal": "true", "unlimited_cidrs": '["10.0.0.0/8"]'}, "unlimited_cidrs: there is no firewall to heed it"),
        ({"canary_percent": "5"}, "canary_percent = 5.0: only with deployment_strategy = canary"),
        ({"bake_minutes": "5"}, "bake_minutes = 5: only with deployment_strategy = canary"),
        (
            {"deployment_strategy": "canary", "canary_percent": "100"},
            "canary_percent = '100': use a number from 0.1 to 99.9",
        ),
        (
            {"deployment_strategy": "canary", "bake_minutes": "121"},
            "bake_minutes = '121': use a whole number from 0 to 120",
        ),
        (
            {"deployment_strategy": "canary", "requests_target": "100", "max_tasks": "4", "canary_percent": "1"},
            "canary_percent = 1: of the 400 requests a minute that max_tasks and requests_target scale for, a canary",
        ),
        (
            {"deployment_strategy": "canary", "canary_minutes": "4"},
            "canary_minutes = '4': use a whole number from 5 to 120",
        ),
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
        (
            {"api_keys_secret": "keys"},
            "api_keys_secret = 'keys': use the ARN of a secret, such as arn:aws:secretsmanager",
        ),
        (
            {"certificate_arn": "mine"},
            "certificate_arn = 'mine': use the ARN of a certificate in ACM, such as arn:aws:",
        ),
        (
            {"kms_key_arn": "alias/mine"},
            "kms_key_arn = 'alias/mine': use the ARN of a key, such as arn:aws:kms:us-east-1",
        ),
        (
            {"kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/1"},
            "kms_key_arn = 'arn:aws:kms:us-east-1:123456789012:key/1': must be a key in aws:region = 'eu-central-1'",
        ),
        ({"permissions_boundary": "b"}, "permissions_boundary = 'b': use the ARN of a policy of this account, such as"),
        ({"model_bucket": "Not A Bucket"}, "model_bucket = 'Not A Bucket': use a bucket's name: 3 to 63 small letters"),
        ({"model_path": "models/"}, "model_path = 'models/': use a path without a slash at its ends, such as mlflow/"),
        ({"schedule": "nightly"}, 'schedule = \'nightly\': use a list in JSON, such as [{"name": "night"'),
        ({"schedule": '[{"name": "n"}]'}, "Object missing required field `schedule`"),
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


def scheduled(schedule: str, timezone: str = "UTC") -> list[str]:
    """The problems of a schedule with one entry."""
    entry = {"name": "night", "schedule": schedule, "min_tasks": 1, "max_tasks": 2, "timezone": timezone}
    try:
        parsed(schedule=json.dumps([entry]))
    except ConfigError as error:
        return str(error).splitlines()[1:]
    return []


@pytest.mark.parametrize(
    "schedule",
    [
        "cron(0 20 * * ? *)",
        "cron(0/15 8-18 ? * MON-FRI 2027)",
        "cron(30 4 L JAN,jul ? *)",
        "cron(0 9 15W * ? *)",
        "cron(0 9 ? * 2#1 *)",
        "rate(1 day)",
        "rate(12 hours)",
        "at(2027-01-31T20:00:00)",
    ],
)
def test_what_aws_can_schedule_is_accepted(schedule: str) -> None:
    """Every kind of expression that its documentation shows."""
    assert scheduled(schedule, "Europe/Berlin") == []


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("0 20 * * *", "use cron(…), rate(…) or at(…), such as cron(0 20 * * ? *)"),
        ("cron(0 20 * * *)", "AWS wants six fields, not 5: minutes, hours, day of the month"),
        ("cron(0 20 * * * *)", "exactly one of day of the month and day of the week must be ?"),
        ("cron(0 20 ? * ? *)", "exactly one of day of the month and day of the week must be ?"),
        ("cron(0 24 * * ? *)", "hours is '24'; use 0 to 23"),
        ("cron(60 20 * * ? *)", "minutes is '60'; use 0 to 59"),
        ("cron(0 20 * * ? 20)", "year is '20'; use 1970 to 2199"),
        ("cron(0 20 ? * 0 *)", "day of the week is '0'; use 1 to 7"),
        ("cron(0 18-8 * * ? *)", "hours is '18-8'"),
        ("cron(0/0 8 * * ? *)", "minutes is '0/0'"),
        ("cron(x 8 * * ? *)", "minutes is 'x'"),
        ("rate(1 days)", "use a number and a unit, such as rate(1 day)"),
        ("rate(2 hour)", "use a number and a unit"),
        ("rate(0 minutes)", "use a number and a unit"),
        ("at(2027-13-01T00:00:00)", "use a moment such as at(2027-01-31T20:00:00)"),
    ],
)
def test_what_aws_cannot_schedule_is_refused(schedule: str, words: str) -> None:
    """Five fields, as elsewhere, are the commonest mistake."""
    (problem,) = scheduled(schedule)
    assert f"schedule 'night': schedule = {schedule!r}: " in problem
    assert words in problem


def test_a_time_zone_must_exist() -> None:
    """A misspelled one is named."""
    (problem,) = scheduled("rate(1 day)", "Europe/Berln")
    assert "schedule 'night': timezone = 'Europe/Berln': use the name of a time zone, such as Europe/Berlin" in problem


def prefix_of(stack: str, name: str = "housing") -> str:
    return parse({**REQUIRED, "name": name}, stack=stack, region="eu-central-1").prefix


@pytest.mark.parametrize("name", ["housing", "a", "twelvesmalls"])
@pytest.mark.parametrize("stack", ["dev", "prod", "thirteenchars", "feature/A_very.long-stack-name", "prod-", "___"])
def test_names_fit_into_aws(stack: str, name: str) -> None:
    """A target group's name has 32 characters; Pulumi's suffix takes 8 and the second group's 2."""
    prefix = prefix_of(stack, name)
    assert len(prefix) <= 22
    assert prefix.replace("-", "").isalnum()
    assert prefix.startswith(f"{name}-")
    assert not prefix.endswith("-")


def test_a_short_name_is_the_stacks() -> None:
    """What fits is neither cut nor changed, so that people and rights know it."""
    assert [prefix_of(stack) for stack in ("dev", "prod-eu", "thirteenchars")] == [
        "housing-dev",
        "housing-prod-eu",
        "housing-thirteenchars",
    ]
    assert prefix_of("wine-dev", "twelvesmalls") == "twelvesmalls-wine-dev"
    assert prefix_of("nineteen-characters", "a") == "a-nineteen-characters"


def test_no_two_stacks_share_a_name() -> None:
    """The dashboard and the task family are called by it alone: whatever is cut or replaced is told apart by a hash."""
    stacks = [
        "production-us-east-1",
        "production-us-west-2",
        "production-us",
        "Prod",
        "prod",
        "prod-",
        "a.b",
        "a-b",
        "a_b",
    ]
    names = ["housing", "wine", "twelvesmalls"]
    assert len({prefix_of(stack, name) for stack in stacks for name in names}) == len(stacks) * len(names)


@pytest.mark.parametrize("name", ["thirteenchars", "Wine", "wine-dev", "1st", "", "internal", "sthree", "w\u00efne"])
def test_a_name_that_aws_would_not_take_is_refused(name: str) -> None:
    """A load balancer must not be called `internal-…`, a bucket not `sthree-…`; the words say what to use."""
    words = "1 to 12 small letters and digits, a letter first, and not internal or sthree, which AWS keeps for itself"
    assert problems(name=name) == [f"name = {name!r}: use {words}"]


def test_every_setting_is_documented() -> None:
    """The tables in docs/configuration.md are those that the code writes."""
    assert set(settings()) == {field.name for field in dataclasses.fields(Config)} - {"stack", "region", "account"}
    written = PAGE.read_text()
    assert page(written) == written, "run `python -m stack.settings.reference`"
