"""The image: built from this repository and pushed once for each state of what goes into it."""

from pathlib import Path

import pulumi
import pulumi_aws as aws
import pulumi_docker as docker

from stack.settings.config import Config
from stack.tasks.content import DOCKERFILE, content_hash
from stack.tasks.registry import Registry

ROOT = Path(__file__).parents[2]
PLATFORM = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}


class Image(pulumi.ComponentResource):
    """An image of the code beside this program, in the stack's repository."""

    uri: pulumi.Output[str]
    """Names the image by its digest."""

    def __init__(
        self,
        config: Config,
        registry: Registry,
        opts: pulumi.ResourceOptions | None = None,
        *,
        scoring: bool = False,
    ) -> None:
        """Build for `config.cpu_architecture` and push to `registry`; with what reads Parquet for `scoring`."""
        name = f"{config.prefix}-score" if scoring else config.prefix
        super().__init__("housing:registry:Image", name, None, opts)
        build_args = {"SCORING": "true"} if scoring else {}
        platform = PLATFORM[config.cpu_architecture]
        # The tag changes exactly when the image does, so that no push ever meets a tag that is taken.
        tag = content_hash(ROOT, platform=platform, build_args=build_args)
        login = aws.ecr.get_authorization_token_output(
            registry_id=registry.registry_id, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        build: docker.DockerBuildArgsDict = {
            # Relative to the program, so that another machine's checkout makes no difference.
            "context": ".",
            "dockerfile": DOCKERFILE,
            "platform": platform,
            "builder_version": docker.BuilderVersion.BUILDER_BUILD_KIT,
        }
        if build_args:
            build["args"] = build_args
        image = docker.Image(
            name,
            image_name=pulumi.Output.concat(registry.url, ":", tag),
            build=build,
            registry={
                "server": registry.url,
                "username": login.user_name,
                "password": pulumi.Output.secret(login.password),
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.uri = image.repo_digest
        self.register_outputs({"uri": self.uri})
