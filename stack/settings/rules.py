"""Rules that no single setting shows: values that do not go together, or that AWS does not take."""

import functools
import ipaddress
from collections import Counter
from collections.abc import Iterator

import boto3

from stack.settings import schedule
from stack.settings.config import FEWEST_IN_SHARE, ZONE_ID, Config
from stack.settings.tables import WILD, data_prefix
from stack.tasks.identity import image_repository_arn

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

PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
"""Networks that a VPC may use without hiding a part of the internet, or of the machine itself, from its tasks."""


def conflicts(config: Config) -> Iterator[str]:
    """Every rule that `config` breaks, with what to use instead."""
    yield from _region(config)
    yield from _key(config)
    yield from _size(config)
    yield from _schedule(config)
    yield from _scoring(config)
    yield from _strategy(config)
    yield from _name(config)
    yield from _network(config)
    yield from _existing_network(config)
    yield from _callers(config)
    yield from _firewall(config)


def _region(config: Config) -> Iterator[str]:
    if config.region not in _regions():
        similar = [region for region in _regions() if region.startswith(config.region[:3])]
        yield f"aws:region = {config.region!r}: use one of {', '.join(similar or _regions())}"


def _size(config: Config) -> Iterator[str]:
    yield from _task_size("", config.cpu, config.memory)
    yield from _task_size("score_", config.score_cpu, config.score_memory)
    if not config.min_tasks <= config.desired_count <= config.max_tasks:
        counts = f"{config.min_tasks}, {config.desired_count}, {config.max_tasks}"
        yield f"min_tasks, desired_count, max_tasks = {counts}: must not decrease in this order"
    for key in ("log_retention_days", "capture_retention_days"):
        if (days := getattr(config, key)) not in LOG_RETENTION:
            yield f"{key} = {days}: use one of {', '.join(map(str, LOG_RETENTION))}"


def _key(config: Config) -> Iterator[str]:
    if config.kms_key_arn and config.kms_key_arn.split(":")[3] != config.region:
        yield f"kms_key_arn = {config.kms_key_arn!r}: must be a key in aws:region = {config.region!r}"


def _task_size(prefix: str, cpu: int, memory: int) -> Iterator[str]:
    if cpu not in FARGATE_MEMORY:
        yield f"{prefix}cpu = {cpu}: use one of {', '.join(map(str, FARGATE_MEMORY))}"
    elif memory not in FARGATE_MEMORY[cpu]:
        allowed = ", ".join(map(str, FARGATE_MEMORY[cpu]))
        yield f"{prefix}memory = {memory}: with {prefix}cpu = {cpu} use one of {allowed}"


def _schedule(config: Config) -> Iterator[str]:
    for entry in config.schedule:
        if entry.min_tasks > entry.max_tasks:
            yield f"schedule {entry.name!r}: min_tasks = {entry.min_tasks} exceeds max_tasks = {entry.max_tasks}"
        for problem in schedule.problems(entry.schedule, entry.timezone):
            yield f"schedule {entry.name!r}: {problem}"
    for name in _repeated(entry.name for entry in config.schedule):
        yield f"schedule: the name {name!r} is used twice"


def _scoring(config: Config) -> Iterator[str]:
    data, out = config.score_data, config.score_out
    if (data is None) != (out is None):
        yield "score_data, score_out: set both or none"
    for key in ("score_schedule", "score_image_uri"):
        if data is None and getattr(config, key) is not None:
            yield f"{key} = {getattr(config, key)!r}: set score_data and score_out as well"
    if config.score_schedule is not None:
        for problem in schedule.problems(config.score_schedule, "UTC"):
            yield f"score_{problem}"
    if out and WILD.search(out):
        yield f"score_out = {out!r}: is one folder, and no pattern"
    elif data and out and f"{out}/".startswith(data_prefix(data)):
        yield f"score_out = {out!r}: lies in score_data; give another prefix, or the scores would be scored"


def _strategy(config: Config) -> Iterator[str]:
    if not config.canary:
        for key in ("canary_percent", "canary_minutes", "bake_minutes"):
            if getattr(config, key) is not None:
                yield f"{key} = {getattr(config, key)}: only with deployment_strategy = canary; remove it"
    else:
        full = config.max_tasks * config.requests_per_task
        if full * config.canary_share / 100 < FEWEST_IN_SHARE:
            yield (
                f"canary_percent = {config.canary_share:g}: of the {full} requests a minute that max_tasks and "
                f"requests_target scale for, a canary gets fewer than the {FEWEST_IN_SHARE} that its alarms need"
            )


def _name(config: Config) -> Iterator[str]:
    zone = config.hosted_zone
    if config.domain_name and not (zone or config.certificate_arn):
        yield f"domain_name = {config.domain_name!r}: set hosted_zone or certificate_arn as well"
    if not config.domain_name:
        for key in ("hosted_zone", "certificate_arn"):
            if getattr(config, key):
                yield f"{key} = {getattr(config, key)!r}: set domain_name as well"
    elif zone and not ZONE_ID.match(zone) and not within(config.domain_name, zone):
        yield f"domain_name = {config.domain_name!r}: does not lie in hosted_zone = {zone!r}"
    if config.certificate_arn and config.certificate_arn.split(":")[3] != config.region:
        yield f"certificate_arn = {config.certificate_arn!r}: must be a certificate in aws:region = {config.region!r}"


def _network(config: Config) -> Iterator[str]:
    problem = _not_a_network(config.vpc_cidr)
    if problem is None:
        network = ipaddress.IPv4Network(config.vpc_cidr)
        if not (16 <= network.prefixlen <= 20 and any(network.subnet_of(private) for private in PRIVATE)):
            problem = f"use a network of /16 to /20 in {', '.join(map(str, PRIVATE))}"
    if problem:
        yield f"vpc_cidr = {config.vpc_cidr!r}: {problem}, such as 10.0.0.0/16"
    if isinstance(config.availability_zones, tuple):
        for zone in _repeated(config.availability_zones):
            yield f"availability_zones: {zone!r} is listed twice"
    if config.nat == "none":
        yield from _unreachable(config)


def _existing_network(config: Config) -> Iterator[str]:
    own = ("private_subnet_ids", "public_subnet_ids", "allowed_security_groups")
    if config.vpc_id is None:
        for key in own:
            if getattr(config, key):
                yield f"{key}: set vpc_id as well, the network that they lie in"
        if config.endpoints == "present":
            yield "endpoints = 'present': a new network has none; set vpc_id as well, or remove it"
        return
    for key in ("vpc_cidr", "availability_zones"):
        if getattr(config, key) != getattr(Config, key):
            yield f"{key}: only for a new network; with vpc_id the subnets decide; remove it"
    if not config.private_subnet_ids:
        yield f"vpc_id = {config.vpc_id!r}: set private_subnet_ids as well, one in each of two or more zones"
    if config.internal and config.public_subnet_ids:
        yield "public_subnet_ids: an internal load balancer is in the private ones; remove it"
    if not config.internal and not config.public_subnet_ids:
        yield f"vpc_id = {config.vpc_id!r}: set public_subnet_ids as well, or internal = true"
    for id_ in _repeated((*config.private_subnet_ids, *config.public_subnet_ids)):
        yield f"private_subnet_ids, public_subnet_ids: {id_!r} is listed twice"
    if config.endpoints == "present" and config.nat != "none":
        yield "endpoints = 'present': only with nat = none, where tasks need them; remove it"


def _unreachable(config: Config) -> Iterator[str]:
    """What tasks could not fetch through the private endpoints, which lead to this region's AWS services alone."""
    for key in ("image_uri", "score_image_uri"):
        uri = getattr(config, key)
        repository = image_repository_arn(config, uri)
        if uri and (repository is None or repository.split(":")[3] != config.region):
            yield (
                f"{key} = {uri!r}: with nat = none it must lie in ECR in {config.region}; "
                "copy it there, or use another nat"
            )
    if config.api_keys_secret and config.api_keys_secret.split(":")[3] != config.region:
        yield f"api_keys_secret = {config.api_keys_secret!r}: with nat = none it must lie in {config.region}"


def _callers(config: Config) -> Iterator[str]:
    for key in ("allowed_cidrs", "firewall_cidrs", "unlimited_cidrs"):
        cidrs = getattr(config, key) or ()
        for cidr in cidrs:
            if problem := _not_a_network(cidr):
                yield f"{key}: {cidr!r}: {problem}"
        for cidr in _repeated(cidrs):
            yield f"{key}: {cidr!r} is listed twice"
    if config.allowed_cidrs == () and not config.allowed_security_groups:
        yield 'allowed_cidrs = []: nobody could call; use ["0.0.0.0/0"] for everybody'
    for group in _repeated(config.allowed_security_groups):
        yield f"allowed_security_groups: {group!r} is listed twice"
    if config.allowed_security_groups and not config.internal:
        yield "allowed_security_groups: set internal = true; a public load balancer sees callers' public addresses only"


def _firewall(config: Config) -> Iterator[str]:
    if not config.has_firewall:
        for key in ("requests_per_ip", "unlimited_cidrs", "allowed_countries", "firewall_cidrs"):
            if getattr(config, key) != getattr(Config, key):
                yield f"{key}: there is no firewall to heed it; set firewall = true, or remove it"
    for country in _repeated(config.allowed_countries):
        yield f"allowed_countries: {country!r} is listed twice"
    if "0.0.0.0/0" in config.unlimited_cidrs:
        yield "unlimited_cidrs: the firewall takes no 0.0.0.0/0; raise requests_per_ip for everybody"
    if "0.0.0.0/0" in config.firewall_cidrs:
        yield "firewall_cidrs: the firewall takes no 0.0.0.0/0; leave the setting away to let everybody in"


def within(domain_name: str, zone: str) -> bool:
    """Whether a name lies in a zone, which may be written with its last dot."""
    return f".{domain_name}".endswith(f".{zone.rstrip('.')}")


@functools.cache
def _regions() -> list[str]:
    """The regions with ECS that the installed botocore knows; no request is made."""
    session = boto3.Session()
    return [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ecs", partition)
    ]


def _not_a_network(cidr: str) -> str | None:
    """What is wrong with a network's spelling: AWS takes an address and the length of its mask, nothing else."""
    try:
        network = ipaddress.IPv4Network(cidr, strict=False)
    except ValueError:
        return "use an IPv4 network, such as 203.0.113.0/24"
    return None if str(network) == cidr else f"write {network}"


def _repeated(items: Iterator[str] | tuple[str, ...]) -> list[str]:
    return [item for item, times in Counter(items).items() if times > 1]
