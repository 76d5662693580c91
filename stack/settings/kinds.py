"""What the values of settings are: bounds, and patterns with the words that say what to give instead."""

from typing import Annotated

import msgspec
from msgspec import Meta


def _words(pattern: str, words: str) -> Meta:
    """A text of this pattern; whoever gives another is told the words."""
    return Meta(pattern=pattern, extra={"words": words})


# No hyphen: `a-b` with stack `c` and `a` with `b-c` would share their names. A load balancer must not be called
# `internal-…`, nor a bucket `sthree-…`.
ServiceName = Annotated[
    str,
    _words(
        r"^(?!(internal|sthree)$)[a-z][a-z0-9]{0,11}$",
        "1 to 12 small letters and digits, a letter first, and not internal or sthree, which AWS keeps for itself",
    ),
]
CanaryPercent = Annotated[float, Meta(ge=0.1, le=99.9)]
RequestsTarget = Annotated[int, Meta(ge=1)]
# AWS would allow a day; a pipeline's job and its credentials end after six hours.
Minutes = Annotated[int, Meta(ge=0, le=120)]
# Alarms look at three minutes, and CloudWatch takes up to two to see them.
CanaryMinutes = Annotated[int, Meta(ge=5, le=120)]
SecretArn = Annotated[
    str,
    _words(
        r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+$",
        "the ARN of a secret, such as arn:aws:secretsmanager:us-east-1:123456789012:secret:housing-keys-AbCdEf",
    ),
]
CertificateArn = Annotated[
    str,
    _words(
        r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/\S+$",
        "the ARN of a certificate in ACM, such as arn:aws:acm:us-east-1:123456789012:certificate/0b1c",
    ),
]
PolicyArn = Annotated[
    str,
    _words(
        r"^arn:aws[a-z-]*:iam::\d{12}:policy/\S+$",
        "the ARN of a policy of this account, such as arn:aws:iam::123456789012:policy/boundary-housing-dev",
    ),
]
SecurityGroupId = Annotated[
    str, _words(r"^sg-[0-9a-f]{8,17}$", "the id of a security group, such as sg-0a1b2c3d4e5f60718")
]
Email = Annotated[str, _words(r"^[^@\s]+@[^@\s]+$", "an address, such as ops@example.com")]
KeyArn = Annotated[
    str,
    _words(
        r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$",
        "the ARN of a key, such as arn:aws:kms:us-east-1:123456789012:key/0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0",
    ),
]
VpcId = Annotated[str, _words(r"^vpc-[0-9a-f]+$", "the id of a network, such as vpc-0a1b2c3d4e5f60718")]
SubnetIds = tuple[Annotated[str, Meta(pattern=r"^subnet-[0-9a-f]+$")], ...]
SUBNETS = 'a list in JSON, such as ["subnet-0a1b2c3d4e5f60718", "subnet-1a2b3c4d5e6f70819"]'
SecurityGroupIds = tuple[Annotated[str, Meta(pattern=r"^sg-[0-9a-f]+$")], ...]
SECURITY_GROUPS = 'a list in JSON, such as ["sg-0a1b2c3d4e5f60718"]'
S3Address = Annotated[
    str,
    _words(
        r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\s,]*[^\s,/]$",
        "s3://BUCKET/PREFIX without a slash at its end, such as s3://tables/customers",
    ),
]
Zones = Annotated[tuple[str, ...], Meta(min_length=2, max_length=4)]
NETWORKS = 'a list in JSON, such as ["203.0.113.0/24"]'


class ScheduledCapacity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From a point in time on, another minimum and maximum number of tasks."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    schedule: str
    min_tasks: Annotated[int, Meta(ge=0)]
    max_tasks: Annotated[int, Meta(ge=1)]
    timezone: str = "UTC"
