"""A bucket as all of ours are: private, encrypted, reached over TLS only."""

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws

Statements = list[dict[str, Any]]


class PrivateBucket(pulumi.ComponentResource):
    """A bucket that nobody reaches without being named, and nobody without TLS."""

    arn: pulumi.Output[str]
    bucket: pulumi.Output[str]
    """Its name."""
    policy: aws.s3.BucketPolicy
    """Who writes to the bucket waits for this, and for nothing else of it."""

    def __init__(
        self,
        name: str,
        *,
        bucket_name: str | None = None,
        grants: Callable[[pulumi.Output[str]], Statements] = lambda _: [],
        kms_key_arn: str | None = None,
        versioned: bool = False,
        expire_days: int | None = None,
        force_destroy: bool = False,
        protect: bool = False,
        retain: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Create the bucket.

        Args:
            name: Logical name; AWS's name starts with it unless `bucket_name` is given.
            bucket_name: The exact name.
            grants: Policy statements for a bucket's ARN.
            kms_key_arn: Key that its objects are encrypted with; S3's own without.
            versioned: Whether overwritten and deleted objects can be had back.
            expire_days: Delete objects after so many days.
            force_destroy: Whether the bucket may be deleted with objects in it.
            protect: Whether Pulumi refuses to delete it.
            retain: Whether it outlives the stack.
            opts: Of the component.
        """
        super().__init__("housing:storage:PrivateBucket", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, retain_on_delete=retain)
        bucket = aws.s3.Bucket(
            name,
            bucket=bucket_name,
            force_destroy=force_destroy,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=retain, protect=protect),
        )
        aws.s3.BucketOwnershipControls(
            name, bucket=bucket.id, rule={"object_ownership": "BucketOwnerEnforced"}, opts=child
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=bucket.id,
            rules=[_encryption(kms_key_arn)],
            opts=child,
        )
        if versioned:
            aws.s3.BucketVersioning(name, bucket=bucket.id, versioning_configuration={"status": "Enabled"}, opts=child)
        rule: aws.s3.BucketLifecycleConfigurationRuleArgsDict = {
            "id": "tidy",
            "status": "Enabled",
            "filter": {},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
        }
        if expire_days is not None:
            rule["expiration"] = {"days": expire_days}
        aws.s3.BucketLifecycleConfiguration(name, bucket=bucket.id, rules=[rule], opts=child)
        block = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        self.policy = aws.s3.BucketPolicy(
            name,
            bucket=bucket.id,
            policy=pulumi.Output.json_dumps(
                {"Version": "2012-10-17", "Statement": [_tls_only(bucket.arn), *grants(bucket.arn)]}
            ),
            # S3 refuses two changes of a bucket's access at the same time.
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=retain, depends_on=[block]),
        )
        self.arn = bucket.arn
        self.bucket = bucket.id
        self.register_outputs({"arn": self.arn, "bucket": self.bucket})


def _encryption(key_arn: str | None) -> aws.s3.BucketServerSideEncryptionConfigurationRuleArgsDict:
    if key_arn is None:
        return {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
    return {
        "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key_arn},
        # One call of KMS for many objects.
        "bucket_key_enabled": True,
    }


def _tls_only(arn: pulumi.Output[str]) -> dict[str, Any]:
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, pulumi.Output.concat(arn, "/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
