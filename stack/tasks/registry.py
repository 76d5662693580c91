"""The image repository: tags never move, every push is scanned, and what may be rolled back to stays."""

import json

import pulumi
import pulumi_aws as aws

from stack.settings.config import Config

KEPT_IMAGES = 100
"""A tag is one state of the code: a hundred states back lies beyond any rollback, and costs about a dollar a month."""


class Registry(pulumi.ComponentResource):
    """An ECR repository for the service's image."""

    url: pulumi.Output[str]
    arn: pulumi.Output[str]
    registry_id: pulumi.Output[str]

    def __init__(self, config: Config, opts: pulumi.ResourceOptions | None = None) -> None:
        """Create the repository; it outlives a protected stack."""
        super().__init__("housing:registry:Registry", config.prefix, None, opts)
        repository = aws.ecr.Repository(
            config.prefix,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configurations=_under(config.kms_key_arn) if config.kms_key_arn else None,
            force_delete=not config.protected,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=config.protected),
        )
        rule = {
            "rulePriority": 1,
            "description": f"keep the last {KEPT_IMAGES} images",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": KEPT_IMAGES},
            "action": {"type": "expire"},
        }
        aws.ecr.LifecyclePolicy(
            config.prefix,
            repository=repository.name,
            policy=json.dumps({"rules": [rule]}),
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=config.protected),
        )
        self.url = repository.repository_url
        self.arn = repository.arn
        self.registry_id = repository.registry_id
        self.register_outputs({"url": self.url, "arn": self.arn})


def _under(key_arn: str) -> list[aws.ecr.RepositoryEncryptionConfigurationArgsDict]:
    return [{"encryption_type": "KMS", "kms_key": key_arn}]
