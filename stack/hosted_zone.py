"""Which zone of Route 53 `domain_name` gets its records in: looked up before anything is created."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stack.config import ZONE_ID, Config
from stack.rules import within
from stack.settings import ConfigError


def find_hosted_zone(config: Config) -> str | None:
    """The id of the public zone that `hosted_zone` names by name or id, None where it is not set.

    Raises:
        ConfigError: there is no such zone, more than one, or `domain_name` does not lie in it.
    """
    asked = config.hosted_zone
    if asked is None:
        return None
    try:
        route53 = config.account.client("route53", config.region)
        return _of_id(route53, config, asked) if ZONE_ID.match(asked) else _of_name(route53, asked)
    except (BotoCoreError, ClientError) as error:
        raise ConfigError(f"hosted_zone = {asked!r}: cannot be looked up: {error}") from error


def _of_name(route53: Any, asked: str) -> str:
    pages = route53.get_paginator("list_hosted_zones").paginate()
    public = [zone for page in pages for zone in page["HostedZones"] if not zone["Config"].get("PrivateZone")]
    found = [_id(zone) for zone in public if zone["Name"].rstrip(".") == asked.rstrip(".").lower()]
    if not found:
        names = ", ".join(sorted(zone["Name"].rstrip(".") for zone in public)) or "none"
        raise ConfigError(f"hosted_zone = {asked!r}: the account has no such public zone in Route 53; it has {names}")
    if len(found) > 1:
        raise ConfigError(
            f"hosted_zone = {asked!r}: the account has {len(found)} public zones of that name; "
            f"name one by its id: {', '.join(sorted(found))}"
        )
    return found[0]


def _of_id(route53: Any, config: Config, asked: str) -> str:
    try:
        zone = route53.get_hosted_zone(Id=asked)["HostedZone"]
    except route53.exceptions.NoSuchHostedZone as error:
        raise ConfigError(f"hosted_zone = {asked!r}: the account has no zone with that id in Route 53") from error
    if zone["Config"].get("PrivateZone"):
        raise ConfigError(f"hosted_zone = {asked!r}: the zone {zone['Name']} is private; use a public one")
    if not within(config.domain_name or "", zone["Name"]):
        raise ConfigError(f"domain_name = {config.domain_name!r}: does not lie in hosted_zone = {zone['Name']!r}")
    return asked


def _id(zone: dict[str, Any]) -> str:
    """Route 53 answers `/hostedzone/Z1` and takes `Z1`."""
    return zone["Id"].rpartition("/")[2]
