"""The web application firewall."""

from collections.abc import Callable
from typing import Any

from tests.stack.recording import Recording

Scenario = Callable[[str], Recording]


def rules(recording: Recording) -> list[dict[str, Any]]:
    """The rules in the order in which they are asked."""
    return sorted(recording.one("aws:wafv2/webAcl:WebAcl").inputs["rules"], key=lambda rule: rule["priority"])


def test_it_stands_before_the_balancer(scenario: Scenario) -> None:
    """What no rule blocks passes."""
    recording = scenario("dev")
    acl = recording.one("aws:wafv2/webAcl:WebAcl").inputs
    assert acl["scope"] == "REGIONAL"
    assert acl["defaultAction"] == {"allow": {}}
    association = recording.one("aws:wafv2/webAclAssociation:WebAclAssociation").inputs
    assert association["resourceArn"].endswith("LoadBalancer/housing-dev")
    assert association["webAclArn"].endswith("WebAcl/housing-dev")


def test_managed_groups_and_a_rate_are_the_rules(scenario: Scenario) -> None:
    """Reputation, rate, common attacks and known bad input, in this order and each with metrics."""
    found = rules(scenario("dev"))
    assert [rule["name"] for rule in found] == ["ip-reputation", "rate", "common", "known-bad-inputs"]
    assert [rule["priority"] for rule in found] == [0, 1, 2, 3]
    groups = [
        rule["statement"]["managedRuleGroupStatement"]["name"]
        for rule in found
        if "managedRuleGroupStatement" in rule["statement"]
    ]
    assert groups == [
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
    ]
    assert all(rule["visibilityConfig"]["cloudwatchMetricsEnabled"] for rule in found)


def test_large_bodies_are_counted_not_blocked(scenario: Scenario) -> None:
    """A batch of predictions is larger than the 8 KB that the firewall reads; the service caps its own body."""
    (common,) = [rule for rule in rules(scenario("dev")) if rule["name"] == "common"]
    assert common["statement"]["managedRuleGroupStatement"]["ruleActionOverrides"] == [
        {"name": "SizeRestrictions_BODY", "actionToUse": {"count": {}}}
    ]
    assert common["overrideAction"] == {"none": {}}


def test_an_address_has_a_rate(scenario: Scenario) -> None:
    """`requests_per_ip` in five minutes."""
    (rate,) = [rule for rule in rules(scenario("guarded")) if rule["name"] == "rate"]
    limit = rate["statement"]["rateBasedStatement"]
    assert (limit["limit"], limit["aggregateKeyType"], limit["evaluationWindowSec"]) == (500, "IP", 300)
    assert rate["action"] == {"block": {}}


def test_known_callers_have_no_rate(scenario: Scenario) -> None:
    """Requests from `unlimited_cidrs` are not counted by the rate; without the setting all are."""
    recording = scenario("guarded")
    (rate,) = [rule for rule in rules(recording) if rule["name"] == "rate"]
    (known,) = [
        group for group in recording.all("aws:wafv2/ipSet:IpSet") if group.name.endswith("-callers-without-limit")
    ]
    assert known.inputs["addresses"] == ["198.51.100.0/28"]
    scope = rate["statement"]["rateBasedStatement"]["scopeDownStatement"]
    assert scope["notStatement"]["statement"]["ipSetReferenceStatement"]["arn"].endswith(
        "IpSet/housing-dev-callers-without-limit"
    )
    (rate,) = [rule for rule in rules(scenario("dev")) if rule["name"] == "rate"]
    assert "scopeDownStatement" not in rate["statement"]["rateBasedStatement"]


def test_countries_and_networks_can_be_allowed(scenario: Scenario) -> None:
    """Who comes from elsewhere is blocked first; without the settings there are no such rules."""
    recording = scenario("guarded")
    countries, networks = rules(recording)[:2]
    assert countries["statement"] == {
        "notStatement": {"statement": {"geoMatchStatement": {"countryCodes": ["DE", "FR"]}}}
    }
    (addresses,) = [group for group in recording.all("aws:wafv2/ipSet:IpSet") if group.name == "housing-dev"]
    assert addresses.inputs["addresses"] == ["198.51.100.0/25"]
    assert networks["statement"]["notStatement"]["statement"]["ipSetReferenceStatement"]["arn"].endswith(
        "IpSet/housing-dev"
    )
    assert countries["action"] == networks["action"] == {"block": {}}
    assert scenario("dev").all("aws:wafv2/ipSet:IpSet") == []


def test_what_it_stops_is_logged(scenario: Scenario) -> None:
    """Blocked and counted requests only, without the headers that carry keys, in a group that AWS accepts."""
    recording = scenario("dev")
    logging = recording.one("aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration").inputs
    assert logging["redactedFields"] == [
        {"singleHeader": {"name": "authorization"}},
        {"singleHeader": {"name": "x-api-key"}},
    ]
    kept = logging["loggingFilter"]["filters"][0]
    assert logging["loggingFilter"]["defaultBehavior"] == "DROP"
    assert kept["behavior"] == "KEEP"
    assert kept["conditions"] == [{"actionCondition": {"action": action}} for action in ("BLOCK", "COUNT")]
    (group,) = [g for g in recording.all("aws:cloudwatch/logGroup:LogGroup") if "waf" in g.name]
    assert group.inputs["namePrefix"].startswith("aws-waf-logs-")
    assert logging["logDestinationConfigs"] == [f"arn:aws:mock:eu-central-1:123456789012:LogGroup/{group.name}"]
