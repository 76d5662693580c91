"""What the settings name in AWS: looked up before anything is created, and one message if it is not there."""

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone

from stack.network.availability_zones import find_availability_zones
from stack.network.endpoints import find_endpoint_services
from stack.settings.config import Config
from stack.settings.loading import ConfigError
from stack.storage.model import ModelError, find
from stack.traffic.hosted_zone import find_hosted_zone
from tests.stack.published import REGION, new_bucket, new_zone, publish
from tests.stack.recording import record

NAMED = {"domain_name": "api.example.com"}


def config(region: str = REGION, **settings: object) -> Config:
    return Config(**{"stack": "dev", "region": region, "model_bucket": "b", **settings})


@pytest.fixture
def local_zone(monkeypatch: pytest.MonkeyPatch) -> str:
    """A Local Zone that the account has opted into; its name sorts before the region's own."""
    name = f"{REGION}-atl-1a"
    zones = RegionsAndZonesBackend.zones[REGION]
    monkeypatch.setitem(
        RegionsAndZonesBackend.zones, REGION, [Zone(name, REGION, "euc1-atl1-az1", "local-zone"), *reversed(zones)]
    )
    return name


def test_zones_are_the_regions_own(moto_url: str, local_zone: str) -> None:
    """By name, whatever order AWS answers in, and never a Local Zone."""
    assert find_availability_zones(config()) == ["eu-central-1a", "eu-central-1b"]
    assert find_availability_zones(config(availability_zones=3)) == ["eu-central-1a", "eu-central-1b", "eu-central-1c"]


def test_zones_may_be_named(moto_url: str) -> None:
    """In the order given, which decides who has which part of the network."""
    named = ("eu-central-1c", "eu-central-1a")
    assert find_availability_zones(config(availability_zones=named)) == list(named)


def test_a_region_with_too_few_zones_is_named(moto_url: str) -> None:
    """Four zones in a region of three."""
    with pytest.raises(ConfigError) as error:
        find_availability_zones(config(availability_zones=4))
    assert str(error.value) == ("availability_zones = 4: eu-central-1 has eu-central-1a, eu-central-1b, eu-central-1c")


def test_a_zone_that_is_none_is_named(moto_url: str, local_zone: str) -> None:
    """A Local Zone is none either."""
    with pytest.raises(ConfigError, match=f"no availability zone is called {local_zone}, us-east-1a; eu-central-1 has"):
        find_availability_zones(config(availability_zones=(local_zone, "us-east-1a")))


def test_a_hosted_zone_is_found_by_name_and_by_id(zone_id: str) -> None:
    """A private one of the same name is not meant."""
    new_zone("example.com", private=True)
    assert find_hosted_zone(config(**NAMED, hosted_zone="example.com")) == zone_id
    assert find_hosted_zone(config(**NAMED, hosted_zone="example.com.")) == zone_id
    assert find_hosted_zone(config(**NAMED, hosted_zone=zone_id)) == zone_id
    assert find_hosted_zone(config()) is None


def test_a_hosted_zone_that_is_not_there_is_named(zone_id: str) -> None:
    """With those that are."""
    with pytest.raises(ConfigError, match=r"hosted_zone = 'example.net': the account has no such public zone .*it has"):
        find_hosted_zone(config(domain_name="api.example.net", hosted_zone="example.net"))
    with pytest.raises(ConfigError, match="hosted_zone = 'Z0123': the account has no zone with that id"):
        find_hosted_zone(config(**NAMED, hosted_zone="Z0123"))


def test_a_hosted_zone_that_is_there_twice_is_asked_for_by_id() -> None:
    """Which of the two the registrar points at is nothing that a name tells."""
    ids = sorted(new_zone("twice.example.org") for _ in range(2))
    given = config(domain_name="api.twice.example.org", hosted_zone="twice.example.org")
    with pytest.raises(ConfigError, match=f"has 2 public zones of that name; name one by its id: {', '.join(ids)}"):
        find_hosted_zone(given)


def test_a_hosted_zone_by_id_must_fit(zone_id: str) -> None:
    """An id does not say what the zone is called, so that is looked up as well."""
    with pytest.raises(
        ConfigError, match=r"domain_name = 'api.example.net': does not lie in hosted_zone = 'example.com.'"
    ):
        find_hosted_zone(config(domain_name="api.example.net", hosted_zone=zone_id))
    private = new_zone("private.example.com", private=True)
    with pytest.raises(ConfigError, match=r"the zone private.example.com. is private; use a public one"):
        find_hosted_zone(config(domain_name="a.private.example.com", hosted_zone=private))


def test_a_private_zone_will_do_for_callers_inside(zone_id: str) -> None:
    """If it belongs to their network, and nothing has to be proved in it; a public one of that name is as good."""
    private = new_zone("inside.example.com", private=True, vpc="vpc-0a")
    inside = {
        "domain_name": "api.inside.example.com",
        "internal": True,
        "vpc_id": "vpc-0a",
        "certificate_arn": f"arn:aws:acm:{REGION}:123456789012:certificate/0b1c",
    }
    for asked in (private, "inside.example.com"):
        assert find_hosted_zone(config(**inside, hosted_zone=asked)) == private
        for changed, said in (
            ({"vpc_id": "vpc-0b"}, "it belongs to vpc-0a, not to vpc_id = 'vpc-0b'"),
            (
                {"certificate_arn": None},
                "a private one needs internal = true, the vpc_id that it belongs to, and a certif",
            ),
            ({"internal": False}, "use a public one; a private one needs internal = true"),
        ):
            with pytest.raises(ConfigError, match=said):
                find_hosted_zone(config(**{**inside, **changed}, hosted_zone=asked))
    public = new_zone("inside.example.com")
    ids = ", ".join(sorted([private, public]))
    with pytest.raises(ConfigError, match=f"has 2 zones of that name; name one by its id: {ids}"):
        find_hosted_zone(config(**inside, hosted_zone="inside.example.com"))


def test_endpoints_are_called_as_the_region_calls_them(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In China some names begin differently; only where there is no other way out does anything depend on them."""
    china = [
        "cn.com.amazonaws.cn-north-1.ecr.api",
        "cn.com.amazonaws.cn-north-1.ecr.dkr",
        "com.amazonaws.cn-north-1.logs",
    ]
    backend = ec2_backends[DEFAULT_ACCOUNT_ID]["cn-north-1"]
    services = [
        {"ServiceName": name, "ServiceType": [{"ServiceType": "Interface"}], "ServiceId": name} for name in china
    ]
    monkeypatch.setattr(backend, "_collect_default_endpoint_services", lambda *_: services)
    assert find_endpoint_services(config("cn-north-1", nat="none")) == dict(
        zip(("ecr.api", "ecr.dkr", "logs"), china, strict=True)
    )
    assert find_endpoint_services(config("cn-north-1")) == {}
    keys = "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:keys"
    with pytest.raises(ConfigError, match="nat = 'none': cn-north-1 has no private endpoint for secretsmanager"):
        find_endpoint_services(config("cn-north-1", nat="none", api_keys_secret=keys))


def test_without_nat_the_models_lie_in_the_region(moto_url: str) -> None:
    """No endpoint leads to another region's bucket; with NAT it does not matter."""
    bucket = new_bucket(boto3.client("s3", region_name="us-west-2"), "t-far-away", "us-west-2")
    publish(boto3.client("s3", region_name="us-west-2"), bucket, "1", latest=True)
    assert find(config(model_bucket=bucket)) is not None
    with pytest.raises(
        ModelError, match="model_bucket = 't-far-away': lies in us-west-2; with nat = none it must lie in"
    ):
        find(config(model_bucket=bucket, nat="none"))


def test_nobody_is_let_in_by_a_wrong_right(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be looked up is one line with the setting's name, too."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(ConfigError, match="availability_zones = 2: cannot be looked up: Could not connect"):
        find_availability_zones(config())
    with pytest.raises(ConfigError, match=r"hosted_zone = 'example.com': cannot be looked up: Could not connect"):
        find_hosted_zone(config(**NAMED, hosted_zone="example.com"))
    with pytest.raises(ConfigError, match="nat = 'none': the private endpoints cannot be looked up: Could not connect"):
        find_endpoint_services(config(nat="none"))


@pytest.mark.parametrize(
    "settings",
    [
        {"domain_name": "api.example.net", "hosted_zone": "example.net"},
        {"availability_zones": "4"},
    ],
)
def test_the_program_stops_before_it_registers_anything(models: str, settings: dict[str, str]) -> None:
    """What is not there fails in the preview: no resource is touched, the provider included."""
    with pytest.raises(ConfigError, match=next(iter(settings.keys() - {"domain_name"}))):
        record("dev", settings)
