"""The bucket that the load balancer and the network write their logs to."""

from typing import Any

import pulumi
import pulumi_aws as aws

from stack.settings.config import Config
from stack.storage.private_bucket import PrivateBucket, Statements

BALANCER_ACCOUNTS = ("aws-cn", "aws-us-gov")
"""Partitions in which load balancers write as an account of AWS's, one for each region; elsewhere as a service."""


class LogBucket(PrivateBucket):
    """Where the load balancer and the network write their logs, below `AWSLogs/` and the account's id."""

    def __init__(self, config: Config, opts: pulumi.ResourceOptions | None = None) -> None:
        """Create the bucket of `config`'s stack; it outlives a protected stack."""

        def grants(arn: pulumi.Output[str]) -> Statements:
            invoke = pulumi.InvokeOutputOptions(parent=self)
            account = aws.get_caller_identity_output(opts=invoke).account_id
            balancers = pulumi.Output.concat(
                f"arn:{config.partition}:elasticloadbalancing:{config.region}:", account, ":loadbalancer/*"
            )
            logs = pulumi.Output.concat(f"arn:{config.partition}:logs:{config.region}:", account, ":*")
            written = pulumi.Output.concat(arn, "/AWSLogs/", account, "/*")
            delivery = {"Service": "delivery.logs.amazonaws.com"}
            balancer: dict[str, Any] = {
                "Sid": "BalancerLogs",
                "Effect": "Allow",
                "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": written,
                "Condition": {"ArnLike": {"aws:SourceArn": balancers}},
            }
            if config.partition in BALANCER_ACCOUNTS:
                service = aws.elb.get_service_account_output(region=config.region, opts=invoke)
                balancer = {**balancer, "Principal": {"AWS": service.arn}}
                # Set for services that speak for themselves; an account does not.
                del balancer["Condition"]
            return [
                balancer,
                {
                    "Sid": "FlowLogs",
                    "Effect": "Allow",
                    "Principal": delivery,
                    "Action": "s3:PutObject",
                    "Resource": written,
                    "Condition": {
                        "StringEquals": {
                            "aws:SourceAccount": account,
                            "s3:x-amz-acl": "bucket-owner-full-control",
                        },
                        "ArnLike": {"aws:SourceArn": logs},
                    },
                },
                {
                    "Sid": "FlowLogsCheck",
                    "Effect": "Allow",
                    "Principal": delivery,
                    "Action": ["s3:GetBucketAcl", "s3:ListBucket"],
                    "Resource": arn,
                    "Condition": {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": logs}},
                },
            ]

        super().__init__(
            f"{config.prefix}-logs",
            grants=grants,
            # Not `kms_key_arn`: the balancer cannot write its log to a bucket under a key of one's own.
            expire_days=config.log_retention_days,
            force_destroy=not config.protected,
            retain=config.protected,
            opts=opts,
        )
