"""The `aws:` settings: who the stack is to AWS, for the provider and for what is looked up before it."""

import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import boto3
import msgspec
from botocore.config import Config as ClientConfig

from stack.settings import values

INSTEAD = {
    "assumeRoleWithWebIdentity": "AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE",
    "customCaBundle": "AWS_CA_BUNDLE",
    "ec2MetadataServiceEndpoint": "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "ec2MetadataServiceEndpointMode": "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "httpProxy": "HTTP_PROXY",
    "httpsProxy": "HTTPS_PROXY",
    "insecure": "AWS_CA_BUNDLE, with the certificate that is to be trusted",
    "noProxy": "NO_PROXY",
    "sharedConfigFiles": "AWS_CONFIG_FILE",
    "sharedCredentialsFiles": "AWS_SHARED_CREDENTIALS_FILE",
    "useDualstackEndpoint": "AWS_USE_DUALSTACK_ENDPOINT",
    "useFipsEndpoint": "AWS_USE_FIPS_ENDPOINT",
}
"""Settings of the provider that are refused, and the variables that provider and look-ups heed alike."""


class AssumedRole(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True
):
    """A role to take, as `sts:AssumeRole` wants it."""

    role_arn: str
    session_name: str | None = None
    duration: str | None = None
    external_id: str | None = None
    policy: str | None = None
    policy_arns: tuple[str, ...] = ()
    source_identity: str | None = None
    tags: dict[str, str] = {}
    transitive_tag_keys: tuple[str, ...] = ()


class DefaultTags(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tags for all that the stack creates."""

    tags: dict[str, str] = {}


class IgnoredTags(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """Tags that somebody else sets."""

    keys: tuple[str, ...] = ()
    key_prefixes: tuple[str, ...] = ()


class Account(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The provider's arguments that a stack may set, `region` apart; docs: the AWS provider's configuration."""

    profile: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    token: str | None = None
    assume_roles: tuple[AssumedRole, ...] = ()
    sts_region: str | None = None
    # The CLI stores digits as a number.
    allowed_account_ids: tuple[str | int, ...] = ()
    forbidden_account_ids: tuple[str | int, ...] = ()
    default_tags: DefaultTags = DefaultTags()
    ignore_tags: IgnoredTags | None = None
    tag_policy_compliance: Literal["error", "warning", "disabled"] | None = None
    endpoints: tuple[dict[str, str], ...] = ()
    max_retries: int | None = None
    retry_mode: Literal["standard", "adaptive"] | None = None
    token_bucket_rate_limiter_capacity: int | None = None
    s3_us_east1_regional_endpoint: Literal["legacy", "regional"] | None = None
    s3_use_path_style: bool | None = None
    skip_credentials_validation: bool | None = None
    skip_metadata_api_check: bool | None = None
    skip_region_validation: bool | None = None
    skip_requesting_account_id: bool | None = None
    user_agents: tuple[str, ...] = ()

    def provider_arguments(self) -> dict[str, Any]:
        """The arguments of `pulumi_aws.Provider` that are set, `default_tags` and `region` apart."""
        given = msgspec.structs.asdict(self)
        del given["default_tags"]
        for key in ("allowed_account_ids", "forbidden_account_ids"):
            given[key] = [str(account).zfill(12) for account in given[key]]
        # The SDK translates no keys inside the provider's dictionaries: they go as the provider spells them.
        return {key: msgspec.to_builtins(value) for key, value in given.items() if value not in (None, (), [])}

    def client(self, service: str, region: str) -> Any:
        """A boto3 client with the provider's credentials and endpoints; it honours `AWS_ENDPOINT_URL`, too.

        Raises:
            BotoCoreError, ClientError: the credentials do not exist or may not take a role.
        """
        session = boto3.Session(
            profile_name=self.profile,
            region_name=region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            aws_session_token=self.token,
        )
        for role in self.assume_roles:
            sts = self._client(session, "sts", self.sts_region or region)
            taken = sts.assume_role(**_request(role))["Credentials"]
            session = boto3.Session(
                region_name=region,
                aws_access_key_id=taken["AccessKeyId"],
                aws_secret_access_key=taken["SecretAccessKey"],
                aws_session_token=taken["SessionToken"],
            )
        return self._client(session, service, region)

    def _client(self, session: boto3.Session, service: str, region: str) -> Any:
        address = next((endpoint[service] for endpoint in self.endpoints if service in endpoint), None)
        options = ClientConfig(s3={"addressing_style": "path" if self.s3_use_path_style else "auto"})
        # boto3 has a signature for every service; which one this is, is known when it runs.
        make: Any = session.client
        return make(service, region_name=region, endpoint_url=address, config=options)


def read(given: Mapping[str, str], problems: list[str]) -> Account:
    """Make an `Account` of the `aws:` settings as Pulumi stores them, keys without `aws:` and without `region`.

    What is wrong with them goes to `problems`, one line each.
    """
    types = typing.get_type_hints(Account)
    fields = {field.encode_name: field.name for field in msgspec.structs.fields(Account)}
    accepted: dict[str, Any] = {}
    for key, text in given.items():
        if key in INSTEAD:
            problems.append(f"aws:{key}: what is looked up before the provider would not heed it; set {INSTEAD[key]}")
        elif key not in fields:
            problems.append(f"aws:{key}: no such setting; the settings are region, {', '.join(sorted(fields))}")
        else:
            try:
                accepted[fields[key]] = values.convert(text, types[fields[key]])
            except values.Unusable as error:
                # Not the value: some of these are secrets.
                problems.append(f"aws:{key}: {error}")
    account = Account(**accepted)
    problems.extend(_conflicts(account))
    return account


def _conflicts(account: Account) -> Iterator[str]:
    if (account.access_key is None) != (account.secret_key is None):
        yield "aws:accessKey, aws:secretKey: set both or none"
    if account.allowed_account_ids and account.forbidden_account_ids:
        yield "aws:allowedAccountIds, aws:forbiddenAccountIds: set one of the two"


def _request(role: AssumedRole) -> dict[str, Any]:
    """The role's `sts:AssumeRole`; its duration is left away, since looking things up takes seconds."""
    request = {
        "RoleArn": role.role_arn,
        "RoleSessionName": role.session_name or "pulumi",
        "ExternalId": role.external_id,
        "Policy": role.policy,
        "PolicyArns": [{"arn": arn} for arn in role.policy_arns],
        "SourceIdentity": role.source_identity,
        "Tags": [{"Key": key, "Value": value} for key, value in role.tags.items()],
        "TransitiveTagKeys": list(role.transitive_tag_keys),
    }
    return {key: value for key, value in request.items() if value}
