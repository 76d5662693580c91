"""The log bucket: who may write to it, and for how long it keeps what they write."""

from collections.abc import Callable

from tests.stack.recording import Recording

Scenario = Callable[[str], Recording]


def test_the_balancer_and_the_flow_log_write_and_nobody_else(scenario: Scenario) -> None:
    """Below the account's own prefix, on behalf of this account only, and everything over TLS."""
    recording = scenario("dev")
    statements = {s["Sid"]: s for s in recording.statements(recording.one("aws:s3/bucketPolicy:BucketPolicy"))}
    assert statements.keys() == {"TlsOnly", "BalancerLogs", "FlowLogs", "FlowLogsCheck"}
    bucket = "arn:aws:mock:eu-central-1:123456789012:Bucket/housing-dev-logs"
    balancer = statements["BalancerLogs"]
    assert balancer["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert balancer["Resource"] == f"{bucket}/AWSLogs/123456789012/*"
    assert balancer["Condition"] == {
        "ArnLike": {"aws:SourceArn": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/*"}
    }
    flow = statements["FlowLogs"]
    assert flow["Principal"] == {"Service": "delivery.logs.amazonaws.com"}
    assert flow["Resource"] == f"{bucket}/AWSLogs/123456789012/*"
    assert flow["Condition"]["StringEquals"]["aws:SourceAccount"] == "123456789012"
    assert statements["TlsOnly"]["Resource"] == [bucket, f"{bucket}/*"]


def test_logs_expire(scenario: Scenario) -> None:
    """After as many days as CloudWatch keeps its own."""
    for name, days in (("dev", 7), ("prod", 365)):
        lifecycle = scenario(name).one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs
        (rule,) = lifecycle["rules"]
        assert rule["expiration"] == {"days": days}
        assert rule["status"] == "Enabled"


def test_the_balancer_can_write(scenario: Scenario) -> None:
    """Its log goes to buckets under S3's own key only."""
    encryption = (
        scenario("dev")
        .one("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")
        .inputs
    )
    assert encryption["rules"] == [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]
