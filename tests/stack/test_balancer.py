"""The load balancer: the only thing that the internet sees."""

from collections.abc import Callable

from stack.tasks import timeouts
from tests.stack.recording import Recording

Scenario = Callable[[str], Recording]
LISTENER = "aws:lb/listener:Listener"


def test_it_is_in_the_public_subnets(scenario: Scenario) -> None:
    """The tasks are not."""
    inputs = scenario("dev").one("aws:lb/loadBalancer:LoadBalancer").inputs
    assert inputs["subnets"] == ["subnet-public-0", "subnet-public-1"]
    assert inputs["securityGroups"] == ["housing-dev-balancer-id"]
    assert inputs["internal"] is False


def test_it_is_hardened(scenario: Scenario) -> None:
    """Invalid headers are dropped and ambiguous requests refused."""
    inputs = scenario("dev").one("aws:lb/loadBalancer:LoadBalancer").inputs
    assert inputs["dropInvalidHeaderFields"] is True
    assert inputs["desyncMitigationMode"] == "defensive"


def test_it_gives_up_before_the_server_does(scenario: Scenario) -> None:
    """The server's keep-alive outlives the balancer's idle timeout: no 502 from a closing connection."""
    recording = scenario("dev")
    idle = recording.one("aws:lb/loadBalancer:LoadBalancer").inputs["idleTimeout"]
    assert int(recording.environment()["KEEP_ALIVE_SECONDS"]) == idle + 15


def test_its_access_log_waits_for_the_buckets_policy(scenario: Scenario) -> None:
    """AWS tests whether it may write when the log is switched on."""
    recording = scenario("dev")
    balancer = recording.one("aws:lb/loadBalancer:LoadBalancer")
    assert balancer.inputs["accessLogs"] == {"bucket": "housing-dev-logs-id", "enabled": True}
    assert recording.one("aws:s3/bucketPolicy:BucketPolicy").urn in balancer.depends_on
    # It takes AWS half a minute, and has no say in who may write.
    lifecycle = recording.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    assert lifecycle.urn not in balancer.depends_on


def test_targets_are_asked_for_their_health(scenario: Scenario) -> None:
    """`GET /health` decides who gets requests; a leaving task has until its stop timeout."""
    group = scenario("dev").one("aws:lb/targetGroup:TargetGroup").inputs
    assert group["healthCheck"] == {
        "path": "/health",
        "matcher": "200",
        "interval": 10,
        "timeout": 5,
        "healthyThreshold": 2,
        "unhealthyThreshold": 3,
    }
    assert (group["targetType"], group["port"], group["protocol"]) == ("ip", 8000, "HTTP")
    assert group["deregistrationDelay"] == timeouts.DEREGISTRATION == scenario("dev").container()["stopTimeout"]


def test_without_a_domain_it_is_http_and_says_so(scenario: Scenario) -> None:
    """`pulumi up` warns that nothing is encrypted."""
    recording = scenario("dev")
    listener = recording.one(LISTENER).inputs
    assert (listener["port"], listener["protocol"]) == (80, "HTTP")
    assert listener["defaultActions"][0]["type"] == "forward"
    assert recording.messages == ["HTTP without encryption: set domain_name and hosted_zone for HTTPS"]
    assert recording.outputs["url"] == "http://housing.elb.amazonaws.com"


def test_with_a_domain_it_is_https(scenario: Scenario) -> None:
    """A current TLS policy on 443, and port 80 redirects there."""
    recording = scenario("https")
    https = recording.one(LISTENER, port=443).inputs
    assert https["protocol"] == "HTTPS"
    assert https["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
    assert https["defaultActions"][0]["type"] == "forward"
    redirect = recording.one(LISTENER, port=80).inputs
    assert redirect["defaultActions"] == [
        {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}
    ]
    assert recording.messages == []
    assert recording.outputs["url"] == "https://api.example.com"


def test_the_zone_proves_the_certificate_and_names_the_balancer(scenario: Scenario, zone_id: str) -> None:
    """The listener waits for a certificate that AWS has validated by a record in the zone."""
    recording = scenario("https")
    certificate = recording.one("aws:acm/certificate:Certificate")
    assert certificate.inputs["domainName"] == "api.example.com"
    assert certificate.inputs["validationMethod"] == "DNS"
    proof = recording.one("aws:route53/record:Record", type="CNAME")
    assert (proof.inputs["zoneId"], proof.inputs["name"]) == (zone_id, "_proof.api.example.com")
    assert proof.inputs["records"] == ["_proof.acm-validations.aws"]
    validation = recording.one("aws:acm/certificateValidation:CertificateValidation")
    assert validation.inputs["validationRecordFqdns"] == [proof.inputs["name"]]
    assert validation.urn in recording.one(LISTENER, port=443).depends_on
    address = recording.one("aws:route53/record:Record", type="A")
    assert address.inputs["aliases"] == [
        {"name": "housing.elb.amazonaws.com", "zoneId": "Z1", "evaluateTargetHealth": True}
    ]
    assert address.inputs["zoneId"] == zone_id


def test_a_certificate_of_ones_own_needs_no_zone(scenario: Scenario) -> None:
    """With `certificate_arn`, nothing is requested and no record is written."""
    recording = scenario("own-certificate")
    arn = recording.one(LISTENER, port=443).inputs["certificateArn"]
    assert arn == "arn:aws:acm:eu-central-1:123456789012:certificate/0b1c"
    assert recording.all("aws:acm/certificate:Certificate") == []
    assert recording.all("aws:route53/record:Record") == []
