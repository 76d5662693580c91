"""Which availability zones the network lies in: looked up by name before anything is created."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stack.settings.config import Config
from stack.settings.loading import ConfigError


def find_availability_zones(config: Config) -> list[str]:
    """The zones that `availability_zones` names, or the region's first ones by name; none where a network is given.

    Zones of the region alone: Local and Wavelength Zones, which an account may have beside them, hold no service.

    Raises:
        ConfigError: the region has too few, or not one that is named.
    """
    if config.vpc_id:
        return []
    asked = config.availability_zones
    try:
        # Whatever their state: a zone in trouble for an hour must not move the subnets of a living stack.
        found = config.account.client("ec2", config.region).describe_availability_zones()["AvailabilityZones"]
    except (BotoCoreError, ClientError) as error:
        raise ConfigError(f"availability_zones = {asked}: cannot be looked up: {error}") from error
    zones = sorted(_name(zone) for zone in found if zone.get("ZoneType", "availability-zone") == "availability-zone")
    there = f"{config.region} has {', '.join(zones)}"
    if isinstance(asked, int):
        if asked > len(zones):
            raise ConfigError(f"availability_zones = {asked}: {there}")
        return zones[:asked]
    unknown = [name for name in asked if name not in zones]
    if unknown:
        raise ConfigError(f"availability_zones: no availability zone is called {', '.join(unknown)}; {there}")
    return list(asked)


def _name(zone: dict[str, Any]) -> str:
    return zone["ZoneName"]
