"""Reads a stack's settings and checks them, all of them, before anything is touched."""

import functools
import ipaddress
import os
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import boto3
import msgspec
import pulumi
from pulumi.runtime import config as runtime_config

from stack.config import FEWEST_IN_SHARE, Config, settings

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
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""Days that CloudWatch Logs accepts."""


class ConfigError(pulumi.RunError):
    """The configuration cannot be deployed; the message lists every problem."""


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
    types = settings()
    problems = [f"{key}: no such setting; the settings are {', '.join(types)}" for key in given.keys() - types.keys()]
    values: dict[str, Any] = {}
    for key, type_ in types.items():
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
    if inner is bool:
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
    else:
        full = config.max_tasks * config.requests_target
        if full * config.canary_share / 100 < FEWEST_IN_SHARE:
            yield (
                f"canary_percent = {config.canary_share:g}: of the {full} requests a minute that max_tasks and "
                f"requests_target scale for, a canary gets fewer than the {FEWEST_IN_SHARE} that its alarms need"
            )

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
