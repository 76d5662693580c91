"""Every setting of the deployment: its type, default and meaning, and the rules that hold between settings."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import os
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import boto3
import msgspec
import pulumi
from msgspec import Meta
from pulumi.runtime import config as runtime_config

from api.manifest import LATEST, MODELS_PREFIX

PROJECT = "california-housing-api"
DEFAULT_REGION = "us-east-1"

FARGATE_MEMORY: dict[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}
"""MiB of memory that Fargate offers for each number of CPU units."""

LOG_RETENTION = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""Days that CloudWatch Logs accepts."""


CanaryPercent = Annotated[float, Meta(ge=0.1, le=99.9)]
Minutes = Annotated[int, Meta(ge=0, le=1440)]
SecretArn = Annotated[str, Meta(pattern=r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+$")]
CertificateArn = Annotated[str, Meta(pattern=r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/\S+$")]
Email = Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$")]


class ConfigError(pulumi.RunError):
    """The configuration cannot be deployed; the message lists every problem."""


class ScheduledCapacity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From a point in time on, another minimum and maximum number of tasks."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    schedule: Annotated[str, Meta(pattern=r"^(cron|rate|at)\(.+\)$")]
    min_tasks: Annotated[int, Meta(ge=0)]
    max_tasks: Annotated[int, Meta(ge=1)]
    timezone: str = "UTC"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What one stack deploys. Build it with `load`, which checks it, or directly with values known to be good."""

    stack: str
    region: str
    profile: str | None = None

    model_bucket: Annotated[
        str,
        Meta(description="Bucket that training publishes models to.", pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"),
    ]
    model_path: Annotated[
        str,
        Meta(
            description="The model's directory in that bucket: `…/latest`, or a version to roll out or back to.",
            pattern=r"^[^/\s]+(/[^/\s]+)+$",
        ),
    ] = f"{MODELS_PREFIX}/{LATEST}"
    create_model_bucket: Annotated[
        bool,
        Meta(description="Create `model_bucket` in the first deployment. It is never deleted by Pulumi."),
    ] = False
    protected: Annotated[
        bool,
        Meta(
            description="Production: deletion protection on, images and logs kept when the stack is destroyed. "
            "Otherwise `pulumi destroy` leaves nothing but the models."
        ),
    ] = False

    image_uri: Annotated[
        str | None,
        Meta(description="Deploy this image instead of building one (CI, promotion), best by digest: `…@sha256:…`."),
    ] = None
    cpu_architecture: Annotated[
        Literal["X86_64", "ARM64"],
        Meta(description="CPU of the tasks, and the platform that the image is built for."),
    ] = "X86_64"
    cpu: Annotated[int, Meta(description="CPU units of a task; 1024 are one vCPU.")] = 256
    memory: Annotated[
        int, Meta(description="Memory of a task in MiB; Fargate fixes which sizes go with which CPU.")
    ] = 512
    start_seconds: Annotated[
        int,
        Meta(description="Seconds a task may take to load its model before it gives up.", ge=10, le=300),
    ] = 60
    docs: Annotated[bool, Meta(description="Serve `/docs`, the OpenAPI document and the page at `/`.")] = False
    api_keys_secret: Annotated[
        SecretArn | None,
        Meta(description="ARN of a Secrets Manager secret: the keys that callers must send. Without, all may call."),
    ] = None

    desired_count: Annotated[int, Meta(description="Tasks at creation; afterwards scaling decides.", ge=1)] = 2
    min_tasks: Annotated[int, Meta(description="Scaling never goes below.", ge=1)] = 2
    max_tasks: Annotated[int, Meta(description="Scaling never goes above.", ge=1, le=5000)] = 6
    cpu_target: Annotated[int, Meta(description="Scaling aims at this average CPU use, in percent.", ge=10, le=90)] = 60
    requests_target: Annotated[
        int,
        Meta(description="Scaling aims at this many requests per task and minute.", ge=1),
    ] = 6000
    scale_out_cooldown: Annotated[int, Meta(description="Seconds between two steps up.", ge=0)] = 60
    scale_in_cooldown: Annotated[int, Meta(description="Seconds between two steps down.", ge=0)] = 300
    schedule: Annotated[
        tuple[ScheduledCapacity, ...],
        Meta(
            description="Changes of the minimum and maximum by the clock: a list of "
            "`{name, schedule, min_tasks, max_tasks, timezone}`, such as "
            '`[{"name": "night", "schedule": "cron(0 20 * * ? *)", "min_tasks": 1, "max_tasks": 2}]`.'
        ),
    ] = ()
    spot_percent: Annotated[
        int,
        Meta(description="Share of the tasks on Fargate Spot, beyond a first one that never is.", ge=0, le=100),
    ] = 0

    deployment_strategy: Annotated[
        Literal["rolling", "canary"],
        Meta(description="How a new revision takes over: task by task, or first with a share of the traffic."),
    ] = "rolling"
    canary_percent: Annotated[
        CanaryPercent | None,
        Meta(description="Canary only: percent of the traffic that tries the new revision first; 10 if unset."),
    ] = None
    canary_minutes: Annotated[
        Minutes | None,
        Meta(description="Canary only: minutes that the share is watched before all traffic moves; 10 if unset."),
    ] = None
    bake_minutes: Annotated[
        Minutes | None,
        Meta(description="Canary only: minutes that the old tasks stay, for an instant way back; 5 if unset."),
    ] = None

    vpc_cidr: Annotated[
        str,
        Meta(description="Addresses of the network, /16 to /20; cut into four parts, one per availability zone."),
    ] = "10.0.0.0/16"
    availability_zones: Annotated[int, Meta(description="Number of availability zones.", ge=2, le=4)] = 2
    nat: Annotated[
        Literal["single", "per_az", "none"],
        Meta(
            description="The tasks' way out: one NAT gateway, one per zone, or none at all, with private endpoints for "
            "the AWS services they need."
        ),
    ] = "single"
    allowed_cidrs: Annotated[
        tuple[str, ...],
        Meta(description="IPv4 networks that reach the load balancer; the security group holds the rest off."),
    ] = ("0.0.0.0/0",)

    domain_name: Annotated[str | None, Meta(description="Serve HTTPS under this name.")] = None
    hosted_zone: Annotated[
        str | None,
        Meta(description="Route 53 public zone of `domain_name`: gets the DNS record and proves the certificate."),
    ] = None
    certificate_arn: Annotated[
        CertificateArn | None,
        Meta(description="An ACM certificate for `domain_name`, instead of a new one."),
    ] = None

    requests_per_ip: Annotated[
        int,
        Meta(description="The firewall blocks an address that sends more requests in five minutes.", ge=10),
    ] = 10_000
    allowed_countries: Annotated[
        tuple[Annotated[str, Meta(pattern="^[A-Z]{2}$")], ...],
        Meta(description="ISO 3166 codes of the countries that the firewall lets in; empty: all."),
    ] = ()
    firewall_cidrs: Annotated[
        tuple[str, ...],
        Meta(description="IPv4 networks that the firewall lets in, up to 10,000 of them; empty: all."),
    ] = ()

    log_retention_days: Annotated[int, Meta(description="Days that CloudWatch and the log bucket keep logs.")] = 7
    container_insights: Annotated[
        Literal["disabled", "enabled", "enhanced"],
        Meta(description="CloudWatch Container Insights; priced per metric."),
    ] = "disabled"
    alarm_email: Annotated[
        Email | None,
        Meta(description="Address that alarms are mailed to, once it confirmed."),
    ] = None

    @property
    def name(self) -> str:
        """Prefix of all names: short, since a load balancer's ends after 32 characters, 8 of them Pulumi's."""
        return f"housing-{re.sub(r'[^a-z0-9]+', '-', self.stack.lower())[:13].strip('-')}"

    @property
    def partition(self) -> str:
        """The region's partition, as the second part of an ARN spells it."""
        return boto3.Session().get_partition_for_region(self.region)

    @property
    def models_prefix(self) -> str:
        """Where all versions of the model lie: the task may read below it, whichever version is deployed."""
        return self.model_path.rpartition("/")[0]

    @property
    def canary(self) -> bool:
        """Whether a new revision first gets a share of the traffic."""
        return self.deployment_strategy == "canary"

    @property
    def https(self) -> bool:
        """Whether there is a name to serve HTTPS under."""
        return self.domain_name is not None


def settings() -> dict[str, Any]:
    """The type of each setting by its key, `Annotated` with a `msgspec.Meta` that describes it."""
    hints = typing.get_type_hints(Config, include_extras=True)
    return {key: hint for key, hint in hints.items() if typing.get_origin(hint) is Annotated}


def load() -> Config:
    """Read and check the stack's configuration.

    Raises:
        ConfigError: with every problem found, one a line.
    """
    prefix = f"{pulumi.get_project()}:"
    given = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    own = {key.removeprefix(prefix): value for key, value in given.items() if key.startswith(prefix)}
    environment = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    region = given.get("aws:region") or environment or DEFAULT_REGION
    return parse(own, stack=pulumi.get_stack(), region=region, profile=given.get("aws:profile"))


def parse(given: Mapping[str, str], *, stack: str, region: str, profile: str | None = None) -> Config:
    """Make a checked `Config` of settings as Pulumi stores them: text, and JSON for lists.

    Raises:
        ConfigError: with every problem found, one a line.
    """
    types_ = settings()
    problems = [f"{key}: no such setting; the settings are {', '.join(types_)}" for key in given.keys() - types_.keys()]
    values: dict[str, Any] = {}
    for key, type_ in types_.items():
        if key in given:
            try:
                values[key] = _convert(given[key], type_)
            except msgspec.ValidationError as error:
                problems.append(f"{key} = {given[key]!r}: {_explain(error, type_)}")
    if not given.get("model_bucket"):
        problems.append("model_bucket: missing; set it with `pulumi config set model_bucket BUCKET`")
    # Where a setting is wrong, the rules between settings see its default, so that one run shows all problems.
    config = Config(stack=stack, region=region, profile=profile, **{"model_bucket": "unknown", **values})
    problems.extend(_conflicts(config))
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in sorted(problems))
        raise ConfigError(f"the configuration of stack {stack!r} cannot be deployed:\n{lines}")
    return config


def _convert(text: str, type_: Any) -> Any:
    if typing.get_origin(typing.get_args(type_)[0]) is tuple:
        try:
            return msgspec.json.decode(text, type=type_)
        except msgspec.DecodeError as error:
            raise msgspec.ValidationError(f"{error}; give a JSON list") from error
    return msgspec.convert(text, type_, strict=False)


def _explain(error: msgspec.ValidationError, type_: Any) -> str:
    """The decoder's words, or the allowed values where there are only a few."""
    inner = typing.get_args(type_)[0]
    if typing.get_origin(inner) is Literal:
        return f"use one of {', '.join(typing.get_args(inner))}"
    if inner is bool or (isinstance(inner, types.UnionType) and bool in typing.get_args(inner)):
        return "use true or false"
    return str(error)


def _conflicts(config: Config) -> Iterator[str]:
    """What no single setting shows: values that do not go together, or that AWS does not know."""
    if config.region not in _regions():
        similar = [region for region in _regions() if region.startswith(config.region[:3])]
        yield f"aws:region = {config.region!r}: use one of {', '.join(similar or _regions())}"

    if config.cpu not in FARGATE_MEMORY:
        yield f"cpu = {config.cpu}: use one of {', '.join(map(str, FARGATE_MEMORY))}"
    elif config.memory not in FARGATE_MEMORY[config.cpu]:
        allowed = ", ".join(map(str, FARGATE_MEMORY[config.cpu]))
        yield f"memory = {config.memory}: with cpu = {config.cpu} use one of {allowed}"
    if not config.min_tasks <= config.desired_count <= config.max_tasks:
        counts = f"{config.min_tasks}, {config.desired_count}, {config.max_tasks}"
        yield f"min_tasks, desired_count, max_tasks = {counts}: must not decrease in this order"
    for entry in config.schedule:
        if entry.min_tasks > entry.max_tasks:
            yield f"schedule {entry.name!r}: min_tasks = {entry.min_tasks} exceeds max_tasks = {entry.max_tasks}"
    if len({entry.name for entry in config.schedule}) < len(config.schedule):
        yield "schedule: the same name is used twice"
    if config.log_retention_days not in LOG_RETENTION:
        yield f"log_retention_days = {config.log_retention_days}: use one of {', '.join(map(str, LOG_RETENTION))}"

    if not config.canary:
        for key in ("canary_percent", "canary_minutes", "bake_minutes"):
            if getattr(config, key) is not None:
                yield f"{key} = {getattr(config, key)}: only with deployment_strategy = canary; remove it"

    if config.domain_name and not (config.hosted_zone or config.certificate_arn):
        yield f"domain_name = {config.domain_name!r}: set hosted_zone or certificate_arn as well"
    if not config.domain_name:
        for key in ("hosted_zone", "certificate_arn"):
            if getattr(config, key):
                yield f"{key} = {getattr(config, key)!r}: set domain_name as well"
    elif config.hosted_zone and not f".{config.domain_name}".endswith(f".{config.hosted_zone}"):
        yield f"domain_name = {config.domain_name!r}: does not lie in hosted_zone = {config.hosted_zone!r}"
    if config.certificate_arn and config.certificate_arn.split(":")[3] != config.region:
        yield f"certificate_arn = {config.certificate_arn!r}: must be a certificate in aws:region = {config.region!r}"

    network = _network(config.vpc_cidr)
    if network is None or not 16 <= network.prefixlen <= 20 or not network.is_private:
        yield f"vpc_cidr = {config.vpc_cidr!r}: use a private IPv4 network of /16 to /20, such as 10.0.0.0/16"
    for key, cidrs in (("allowed_cidrs", config.allowed_cidrs), ("firewall_cidrs", config.firewall_cidrs)):
        for cidr in cidrs:
            if _network(cidr) is None:
                yield f"{key}: {cidr!r} is not an IPv4 network, such as 203.0.113.0/24"
    if not config.allowed_cidrs:
        yield 'allowed_cidrs = []: nobody could call; use ["0.0.0.0/0"] for everybody'
    if "0.0.0.0/0" in config.firewall_cidrs:
        yield "firewall_cidrs: the firewall takes no 0.0.0.0/0; leave the setting away to let everybody in"


@functools.cache
def _regions() -> list[str]:
    """The regions with ECS that the installed botocore knows; no request is made."""
    session = boto3.Session()
    return [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ecs", partition)
    ]


def _network(cidr: str) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(cidr)
    except ValueError:
        return None
