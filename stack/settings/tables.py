"""Addresses of tables in S3, as settings have them: bucket, prefix, and where a pattern begins."""

import re
from typing import NamedTuple

WILD = re.compile(r"[*?\[]")
"""What makes an address a pattern."""


class Place(NamedTuple):
    """A prefix in a bucket; it ends with a slash."""

    bucket: str
    prefix: str


def data_prefix(address: str) -> str:
    """The folder that holds all that an address names, with a slash at its end."""
    wild = WILD.search(address)
    return address[: address.rfind("/", 0, wild.start()) + 1] if wild else f"{address}/"


def place(address: str) -> Place:
    """The folder that an address names."""
    bucket, _, prefix = data_prefix(address).removeprefix("s3://").partition("/")
    return Place(bucket, prefix)
