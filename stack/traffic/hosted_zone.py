"""Which zone of Route 53 `domain_name` gets its records in: looked up before anything is created."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stack.settings.config import ZONE_ID, Config
from stack.settings.loading import ConfigError
from stack.settings.rules import within


def find_hosted_zone(config: Config) -> str | None:
    """The id of the zone that `hosted_zone` names by name or id, None where it is not set.

    A public one; or, where nothing has to be proved there, a private one of the network that callers are in.

    Raises:
        ConfigError: there is no such zone, more than one, or `domain_name` does not lie in it.
    """
    asked = config.hosted_zone
    if asked is None:
        return None
    try:
        route53 = config.account.client("route53", config.region)
        return _of_id(route53, config, asked) if ZONE_ID.match(asked) else _of_name(route53, config, asked)
    except (BotoCoreError, ClientError) as error:
        raise ConfigError(f"hosted_zone = {asked!r}: cannot be looked up: {error}") from error


def _of_name(route53: Any, config: Config, asked: str) -> str:
    pages = route53.get_paginator("list_hosted_zones").paginate()
    zones = [zone for page in pages for zone in page["HostedZones"]]
    public = [zone for zone in zones if not zone["Config"].get("PrivateZone")]
    called = [zone for zone in zones if zone["Name"].rstrip(".") == asked.rstrip(".").lower()]
    found = [_id(zone) for zone in called if zone in public or not _unfit(route53, config, _id(zone))]
    if not found:
        names = ", ".join(sorted(zone["Name"].rstrip(".") for zone in public)) or "none"
        private = f"; {_unfit(route53, config, _id(called[0]))}" if called else ""
        raise ConfigError(
            f"hosted_zone = {asked!r}: the account has no such public zone in Route 53; it has {names}{private}"
        )
    if len(found) > 1:
        kind = "public zones" if all(zone in public for zone in called) else "zones"
        raise ConfigError(
            f"hosted_zone = {asked!r}: the account has {len(found)} {kind} of that name; "
            f"name one by its id: {', '.join(sorted(found))}"
        )
    return found[0]


def _of_id(route53: Any, config: Config, asked: str) -> str:
    try:
        zone = route53.get_hosted_zone(Id=asked)["HostedZone"]
    except route53.exceptions.NoSuchHostedZone as error:
        raise ConfigError(f"hosted_zone = {asked!r}: the account has no zone with that id in Route 53") from error
    if zone["Config"].get("PrivateZone") and (reason := _unfit(route53, config, asked)):
        raise ConfigError(f"hosted_zone = {asked!r}: the zone {zone['Name']} is private; {reason}")
    if not within(config.domain_name or "", zone["Name"]):
        raise ConfigError(f"domain_name = {config.domain_name!r}: does not lie in hosted_zone = {zone['Name']!r}")
    return asked


def _unfit(route53: Any, config: Config, id_: str) -> str | None:
    """Why a private zone cannot be used, if it cannot."""
    if not (config.internal and config.vpc_id and config.certificate_arn):
        return (
            "use a public one; a private one needs internal = true, the vpc_id that it belongs to, and a "
            "certificate_arn, since nobody outside sees its proofs"
        )
    networks = [network["VPCId"] for network in route53.get_hosted_zone(Id=id_)["VPCs"]]
    if config.vpc_id not in networks:
        return f"it belongs to {', '.join(networks)}, not to vpc_id = {config.vpc_id!r}"
    return None


def _id(zone: dict[str, Any]) -> str:
    """Route 53 answers `/hostedzone/Z1` and takes `Z1`."""
    return zone["Id"].rpartition("/")[2]
