"""The web application firewall in front of the load balancer."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from stack.settings.config import Config
from stack.watching.logs import log_group

RuleDict = aws.wafv2.WebAclRuleArgsDict
StatementDict = aws.wafv2.WebAclRuleStatementArgsDict
RateDict = aws.wafv2.WebAclRuleStatementRateBasedStatementArgsDict
SECRET_HEADERS = ("authorization", "x-api-key")


class Firewall(pulumi.ComponentResource):
    """A web ACL: who may come, how often, and AWS's managed rules against known attacks."""

    name: pulumi.Output[str]

    def __init__(
        self, config: Config, balancer_arn: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Create the web ACL and put it in front of the load balancer."""
        super().__init__("housing:firewall:Firewall", config.prefix, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        kept = pulumi.ResourceOptions(parent=self, protect=config.protected)
        rules = [
            *self._origin_rules(config),
            _managed("ip-reputation", "AWSManagedRulesAmazonIpReputationList"),
            self._rate(config),
            # The service caps its own body, at more than the 8 KB that the firewall reads: large batches are no attack.
            _managed("common", "AWSManagedRulesCommonRuleSet", count_only="SizeRestrictions_BODY"),
            _managed("known-bad-inputs", "AWSManagedRulesKnownBadInputsRuleSet"),
        ]
        for priority, rule in enumerate(rules):
            rule["priority"] = priority
        acl = aws.wafv2.WebAcl(
            config.prefix,
            scope="REGIONAL",
            default_action={"allow": {}},
            rules=rules,
            visibility_config=_visibility("all"),
            opts=kept,
        )
        aws.wafv2.WebAclAssociation(config.prefix, resource_arn=balancer_arn, web_acl_arn=acl.arn, opts=kept)
        logs = log_group(config, "aws-waf-logs-", child)
        aws.wafv2.WebAclLoggingConfiguration(
            config.prefix,
            resource_arn=acl.arn,
            log_destination_configs=[logs.arn],
            redacted_fields=[{"single_header": {"name": header}} for header in SECRET_HEADERS],
            # What was let through is in the load balancer's own log.
            logging_filter={
                "default_behavior": "DROP",
                "filters": [
                    {
                        "behavior": "KEEP",
                        "requirement": "MEETS_ANY",
                        "conditions": [
                            {"action_condition": {"action": "BLOCK"}},
                            {"action_condition": {"action": "COUNT"}},
                        ],
                    }
                ],
            },
            opts=child,
        )
        self.name = acl.name
        self.register_outputs({"name": self.name})

    def _origin_rules(self, config: Config) -> list[RuleDict]:
        """Block who comes from outside the allowed countries or networks, where the configuration names any."""
        rules: list[RuleDict] = []
        if config.allowed_countries:
            rules.append(
                _block_unless("countries", {"geo_match_statement": {"country_codes": config.allowed_countries}})
            )
        if config.firewall_cidrs:
            addresses = self._addresses(config.prefix, config.firewall_cidrs)
            rules.append(_block_unless("networks", {"ip_set_reference_statement": {"arn": addresses}}))
        return rules

    def _rate(self, config: Config) -> RuleDict:
        """Block an address that sends too much, unless it is known to."""
        rate: RateDict = {
            "limit": config.requests_per_ip,
            # The address that connects: what a header says of another may be made up.
            "aggregate_key_type": "IP",
            "evaluation_window_sec": 300,
        }
        if config.unlimited_cidrs:
            known = self._addresses(f"{config.prefix}-callers-without-limit", config.unlimited_cidrs)
            rate["scope_down_statement"] = {
                "not_statement": {"statement": {"ip_set_reference_statement": {"arn": known}}}
            }
        rule = _rule("rate", {"rate_based_statement": rate})
        rule["action"] = {"block": {}}
        return rule

    def _addresses(self, name: str, cidrs: Sequence[str]) -> pulumi.Output[str]:
        """The ARN of a set of these networks."""
        return aws.wafv2.IpSet(
            name,
            scope="REGIONAL",
            ip_address_version="IPV4",
            addresses=cidrs,
            opts=pulumi.ResourceOptions(parent=self),
        ).arn


def _visibility(metric: str) -> aws.wafv2.WebAclRuleVisibilityConfigArgsDict:
    return {"cloudwatch_metrics_enabled": True, "metric_name": metric, "sampled_requests_enabled": True}


def _rule(name: str, statement: StatementDict) -> RuleDict:
    return {"name": name, "priority": 0, "statement": statement, "visibility_config": _visibility(name)}


def _block_unless(name: str, statement: StatementDict) -> RuleDict:
    rule = _rule(name, {"not_statement": {"statement": statement}})
    rule["action"] = {"block": {}}
    return rule


def _managed(name: str, group: str, *, count_only: str | None = None) -> RuleDict:
    managed: aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementArgsDict = {"vendor_name": "AWS", "name": group}
    if count_only:
        managed["rule_action_overrides"] = [{"name": count_only, "action_to_use": {"count": {}}}]
    rule = _rule(name, {"managed_rule_group_statement": managed})
    rule["override_action"] = {"none": {}}
    return rule
