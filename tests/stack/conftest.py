"""One recording per scenario, made when first asked for, with models in moto's S3."""

import asyncio
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from cfnlint import decode

from tests.stack import networks
from tests.stack.account import TEMPLATE, Account, apply_template
from tests.stack.published import (
    BUCKET,
    ENCRYPTED_BUCKET,
    KEY,
    OTHER_BUCKET,
    REGION,
    encrypt,
    new_bucket,
    new_key,
    new_zone,
    publish,
)
from tests.stack.recording import Recording, record
from tests.stack.scenarios import SCENARIOS
from tests.stack.transitions import Settings


@pytest.fixture(scope="session", autouse=True)
def _event_loop() -> None:
    """Pulumi takes the thread's event loop; `asyncio.run` in other rooms' tests leaves the thread without one."""
    asyncio.set_event_loop(asyncio.new_event_loop())


@pytest.fixture(scope="session")
def s3(moto_url: str) -> Any:
    """A client of the S3 that the program reads models from; nothing here can reach an account."""
    return boto3.client("s3", region_name=REGION)


@pytest.fixture(scope="session")
def zone_id(moto_url: str) -> str:
    """The public zone of the scenarios' domain name."""
    return new_zone("example.com")


@pytest.fixture(scope="session")
def models(s3: Any, zone_id: str) -> str:
    """The bucket that the scenarios deploy from: versions 5 and 6, of which 6 is the latest.

    Other buckets have the same, one under a key; their zone, their networks and that key are there.
    """
    networks.make(networks.client())
    new_key()
    for bucket in (BUCKET, OTHER_BUCKET, ENCRYPTED_BUCKET):
        new_bucket(s3, bucket)
        if bucket == ENCRYPTED_BUCKET:
            encrypt(s3, bucket, KEY)
        publish(s3, bucket, "5")
        publish(s3, bucket, "6", latest=True)
    return BUCKET


@pytest.fixture(scope="session")
def scenario(models: str) -> Callable[[str], Recording]:
    """The recording of a scenario, made when first asked for."""
    made: dict[str, Recording] = {}

    def get(name: str) -> Recording:
        if name not in made:
            stack, settings = SCENARIOS[name]
            made[name] = record(stack, settings)
        return made[name]

    return get


@pytest.fixture(scope="session")
def account(moto_url: str) -> Account:
    """The account after an administrator applied the workflows' template for dev and for prod."""
    return apply_template("dev", "prod")


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """The template as it is written."""
    decoded: dict[str, Any] = decode.decode(str(TEMPLATE))[0]
    return decoded


@pytest.fixture(scope="session")
def prod(models: str) -> Callable[[Settings], Recording]:
    """The recording of prod with other settings, made when first asked for."""
    made: dict[tuple[tuple[str, str], ...], Recording] = {}

    def get(settings: Settings) -> Recording:
        key = tuple(sorted(settings.items()))
        if key not in made:
            networks.turn(networks.client(), present=settings.get("endpoints") == "present")
            made[key] = record("prod", settings)
        return made[key]

    return get
