"""One recording per scenario, made when first asked for, with models in moto's S3."""

import asyncio
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.stack.published import BUCKET, OTHER_BUCKET, REGION, new_bucket, publish
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
def models(s3: Any) -> str:
    """The bucket that the scenarios deploy from: versions 5 and 6, of which 6 is the latest. Another has the same."""
    for bucket in (BUCKET, OTHER_BUCKET):
        new_bucket(s3, bucket)
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
def prod(models: str) -> Callable[[Settings], Recording]:
    """The recording of prod with other settings, made when first asked for."""
    made: dict[tuple[tuple[str, str], ...], Recording] = {}

    def get(settings: Settings) -> Recording:
        key = tuple(sorted(settings.items()))
        if key not in made:
            made[key] = record("prod", settings)
        return made[key]

    return get
