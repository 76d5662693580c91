"""China and GovCloud: partitions of AWS where names, addresses and log delivery differ."""

import json
import re

import boto3
import pytest

from tests.stack.published import new_bucket, publish
from tests.stack.recording import BALANCERS, Recording, record

PARTITIONS = {"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}
CONSOLES = {
    "cn-north-1": "https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1",
    "us-gov-west-1": "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/home?region=us-gov-west-1",
}


@pytest.fixture(scope="module", params=PARTITIONS)
def region(request: pytest.FixtureRequest) -> str:
    """A region of another partition."""
    return str(request.param)


@pytest.fixture(scope="module")
def recording(moto_url: str, region: str) -> Recording:
    """The stack there, in its widest form: private endpoints, keys and canary deployments."""
    s3 = boto3.client("s3", region_name=region)
    bucket = new_bucket(s3, f"models-in-{region}", region)
    publish(s3, bucket, "6", latest=True)
    secret = f"arn:{PARTITIONS[region]}:secretsmanager:{region}:123456789012:secret:housing-keys-AbCdEf"
    settings = {"model_bucket": bucket, "nat": "none", "api_keys_secret": secret, "deployment_strategy": "canary"}
    return record("dev", settings, region=region)


def test_every_arn_is_the_partitions(recording: Recording, region: str) -> None:
    """Not one names AWS's commercial partition, where nothing of this account is."""
    text = json.dumps([resource.inputs for resource in recording.resources])
    arns = set(re.findall(r"arn:aws[a-z-]*:(?!mock:)", text))
    assert arns == {f"arn:{PARTITIONS[region]}:"} | ({"arn:aws-cn:"} if BALANCERS in text else set())


def test_load_balancers_write_as_an_account(recording: Recording, region: str) -> None:
    """Of AWS's, one for each region, which the provider knows; it names no source."""
    statements = recording.statements(recording.one("aws:s3/bucketPolicy:BucketPolicy"))
    (balancer,) = [statement for statement in statements if statement["Sid"] == "BalancerLogs"]
    assert balancer["Principal"] == {"AWS": f"arn:aws-cn:iam::{BALANCERS}:root"}
    assert "Condition" not in balancer
    assert ("aws:elb/getServiceAccount:getServiceAccount", {"region": region}) in recording.calls


def test_the_dashboard_is_in_the_partitions_console(recording: Recording, region: str) -> None:
    """Each has a console of its own."""
    assert recording.outputs["dashboard_url"] == f"{CONSOLES[region]}#dashboards:name=housing-dev"


def test_endpoints_are_looked_up(recording: Recording, region: str) -> None:
    """Their names are AWS's answer, not made of the region's."""
    names = {endpoint.inputs["serviceName"] for endpoint in recording.all("aws:ec2/vpcEndpoint:VpcEndpoint")}
    services = boto3.client("ec2", region_name=region).get_paginator("describe_vpc_endpoint_services").paginate()
    assert len(names) == 4
    assert names <= {name for page in services for name in page["ServiceNames"]}
