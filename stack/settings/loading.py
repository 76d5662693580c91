"""Reads a stack's settings and checks them, all of them, before anything is touched."""

import os
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.runtime import config as runtime_config

from stack.settings import account, values
from stack.settings.config import Config, settings
from stack.settings.rules import conflicts

DEFAULT_REGION = "us-east-1"


class ConfigError(pulumi.RunError):
    """The configuration cannot be deployed; the message names each setting that is wrong."""


def load() -> Config:
    """Read and check the stack's configuration.

    Raises:
        ConfigError: with every problem found, one a line.
    """
    given = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    aws = _of(given, "aws")
    environment = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    region = aws.pop("region", None) or environment or DEFAULT_REGION
    return parse(_of(given, pulumi.get_project()), stack=pulumi.get_stack(), region=region, aws=aws)


def parse(given: Mapping[str, str], *, stack: str, region: str, aws: Mapping[str, str] | None = None) -> Config:
    """Make a checked `Config` of settings as Pulumi stores them: text, and JSON for lists.

    Args:
        given: The program's settings.
        stack: Name of the stack.
        region: Where it is deployed.
        aws: The AWS provider's other settings, without `aws:`.

    Raises:
        ConfigError: with every problem found, one a line.
    """
    types = settings()
    problems = [f"{key}: no such setting; the settings are {', '.join(types)}" for key in given.keys() - types.keys()]
    accepted: dict[str, Any] = {}
    for key, type_ in types.items():
        if key in given:
            try:
                accepted[key] = values.convert(given[key], type_)
            except values.Unusable as error:
                problems.append(f"{key} = {given[key]!r}: {error}")
    if not given.get("model_bucket"):
        problems.append("model_bucket: missing; set it with `pulumi config set model_bucket BUCKET`")
    identity = account.read(aws or {}, problems)
    # Where a setting is wrong, the rules between settings see its default, so that one run shows all problems.
    config = Config(stack=stack, region=region, account=identity, **{"model_bucket": "unknown", **accepted})
    problems.extend(conflicts(config))
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in sorted(problems))
        raise ConfigError(f"the configuration of stack {stack!r} cannot be deployed:\n{lines}")
    return config


def _of(given: Mapping[str, str], namespace: str) -> dict[str, str]:
    prefix = f"{namespace}:"
    return {key.removeprefix(prefix): text for key, text in given.items() if key.startswith(prefix)}
