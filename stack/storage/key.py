"""The key that `kms_key_arn` names: looked up before anything is to be encrypted with it."""

from botocore.exceptions import BotoCoreError, ClientError

from stack.settings.config import Config
from stack.settings.loading import ConfigError


def check_key(config: Config) -> None:
    """Make sure that AWS's services can encrypt with `kms_key_arn`, if it is set.

    What the key's own policy allows them, only its owner may read.

    Raises:
        ConfigError: there is no such key, it is not enabled, or it is of another kind.
    """
    arn = config.kms_key_arn
    if arn is None:
        return
    try:
        key = config.account.client("kms", config.region).describe_key(KeyId=arn)["KeyMetadata"]
    except (BotoCoreError, ClientError) as error:
        raise ConfigError(f"kms_key_arn = {arn!r}: cannot be looked up: {error}") from error
    if key["KeyState"] != "Enabled":
        raise ConfigError(f"kms_key_arn = {arn!r}: the key is {key['KeyState']}; enable it, or use another")
    if key["KeySpec"] != "SYMMETRIC_DEFAULT":
        raise ConfigError(f"kms_key_arn = {arn!r}: the key is {key['KeySpec']}; use a symmetric one that encrypts")
