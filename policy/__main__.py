"""The rules as a policy pack: `pulumi up --policy-pack policy`."""

from pulumi_policy import PolicyPack
from rules import RULES

PolicyPack("california-housing-api", [rule.policy() for rule in RULES])
