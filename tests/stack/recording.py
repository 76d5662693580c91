"""Runs the real program against mocks and records what it registers, resource options included."""

import dataclasses
import json
import logging
import runpy
import warnings
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import mocks as pulumi_mocks
from pulumi.runtime.settings import ROOT as ROOT_RESOURCE
from pulumi.runtime.stack import Stack

from stack.settings.config import PROJECT
from tests.stack.published import BUCKET, REGION

ROOT = Path(__file__).parents[2]
ACCOUNT = "123456789012"
BALANCERS = "638102146993"
"""AWS's account that load balancers in Beijing write as."""


@dataclasses.dataclass(frozen=True)
class Resource:
    """One registered resource: what was asked for, and with which options."""

    type: str
    name: str
    urn: str
    inputs: dict[str, Any]
    custom: bool
    protect: bool
    retain: bool
    ignore_changes: list[str]
    replace_with: list[str]
    """URNs of what it is replaced with."""
    depends_on: list[str]
    """URNs, of all dependencies: of properties too."""
    property_depends_on: dict[str, list[str]]
    parent: str
    provider: str
    providers: dict[str, str]
    timeouts: dict[str, str]
    transforms: list[Any]


@dataclasses.dataclass
class Recording:
    """Everything that one run of the program registered, exported and said."""

    resources: list[Resource]
    outputs: dict[str, Any]
    messages: list[str]
    calls: list[tuple[str, dict[str, Any]]]

    def all(self, type_: str, **inputs: Any) -> list[Resource]:
        """The resources of a type, such as `aws:ecs/service:Service`, that have these inputs."""
        return [
            resource
            for resource in self.resources
            if resource.type == type_ and all(resource.inputs.get(key) == value for key, value in inputs.items())
        ]

    def one(self, type_: str, **inputs: Any) -> Resource:
        """The only resource of a type that has these inputs."""
        found = self.all(type_, **inputs)
        assert len(found) == 1, f"{len(found)} resources of type {type_} with {inputs}"
        return found[0]

    def containers(self, name: str = "api") -> list[dict[str, Any]]:
        """The containers of the task definition whose first one is of this name."""
        definitions = [
            json.loads(resource.inputs["containerDefinitions"])
            for resource in self.all("aws:ecs/taskDefinition:TaskDefinition")
        ]
        (found,) = [containers for containers in definitions if containers[0]["name"] == name]
        return found

    def container(self, name: str = "api") -> dict[str, Any]:
        """The container of this name, the first one of its task definition."""
        return self.containers(name)[0]

    def environment(self) -> dict[str, str]:
        """The container's environment."""
        return {entry["name"]: entry["value"] for entry in self.container()["environment"]}

    def statements(self, policy: Resource) -> list[dict[str, Any]]:
        """The statements of a policy."""
        return json.loads(policy.inputs["policy"])["Statement"]


class Mocks(pulumi_mocks.Mocks):
    """AWS as the program sees it: makes up what AWS would answer."""

    def __init__(self, last_outputs: dict[str, Any]) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.last_outputs = last_outputs

    def new_resource(self, args: pulumi_mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """An id and outputs that name the resource, so that a test sees what refers to what."""
        id_ = f"{args.name}-id"
        short = args.typ.rpartition(":")[2]
        if args.typ == "awsx:ec2:Vpc":
            zones = range(len(args.inputs["availabilityZoneNames"]))
            return id_, {
                "vpcId": "vpc-1",
                "publicSubnetIds": [f"subnet-public-{zone}" for zone in zones],
                "privateSubnetIds": [f"subnet-private-{zone}" for zone in zones],
            }
        if args.typ == "pulumi:pulumi:StackReference":
            return id_, {"name": args.name, "outputs": self.last_outputs, "secretOutputNames": []}
        arn = f"arn:aws:mock:{REGION}:{ACCOUNT}:{short}/{args.name}"
        made_up: dict[str, Any] = {
            "arn": arn,
            "name": args.inputs.get("name", args.name),
            "arnSuffix": f"{short}/{args.name}",
        }
        made_up |= {
            "LoadBalancer": {"dnsName": "housing.elb.amazonaws.com", "zoneId": "Z1"},
            "Repository": {
                "repositoryUrl": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{args.name}",
                "registryId": ACCOUNT,
            },
            "Image": {"repoDigest": f"{args.inputs.get('imageName', '')}@sha256:{'b' * 64}"},
            "Topic": {"owner": ACCOUNT},
            "Record": {"fqdn": args.inputs.get("name")},
            "Certificate": {
                "domainValidationOptions": [
                    {
                        "domainName": args.inputs.get("domainName"),
                        "resourceRecordName": "_proof.api.example.com",
                        "resourceRecordType": "CNAME",
                        "resourceRecordValue": "_proof.acm-validations.aws",
                    }
                ]
            },
        }.get(short, {})
        return id_, {**made_up, **args.inputs}

    def call(self, args: pulumi_mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """What the data sources that the program asks answer."""
        self.calls.append((args.token, dict(args.args)))
        answer: dict[str, Any] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
            "aws:ecr/getAuthorizationToken:getAuthorizationToken": {"userName": "AWS", "password": "login"},
            "aws:elb/getServiceAccount:getServiceAccount": {"arn": f"arn:aws-cn:iam::{BALANCERS}:root"},
            "aws:ec2/getManagedPrefixList:getManagedPrefixList": {"id": "pl-s3"},
        }[args.token]
        return answer, []


class Monitor(pulumi_mocks.MockMonitor):
    """Records what Pulumi's mocks leave out: a resource's options."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.recorded: list[Resource] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        """Record the request, answer as the mocks say."""
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            timeouts = request.customTimeouts
            self.recorded.append(
                Resource(
                    type=request.type,
                    name=request.name,
                    urn=response.urn,
                    inputs=pulumi.runtime.rpc.deserialize_properties(request.object),
                    custom=request.custom,
                    protect=request.protect,
                    retain=request.retainOnDelete,
                    ignore_changes=list(request.ignoreChanges),
                    replace_with=list(request.replace_with),
                    depends_on=list(request.dependencies),
                    property_depends_on={key: list(found.urns) for key, found in request.propertyDependencies.items()},
                    parent=request.parent,
                    provider=request.provider,
                    providers=dict(request.providers),
                    timeouts={"create": timeouts.create, "update": timeouts.update, "delete": timeouts.delete},
                    transforms=pulumi_mocks._resolve_callbacks(request.transforms),
                )
            )
        return response


class Messages(logging.Handler):
    """Keeps what the program warns of."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.messages.append(record.getMessage())


def stack_settings(stack: str) -> dict[str, Any]:
    """What `Pulumi.<stack>.yaml` sets, as Pulumi hands it to the program."""
    given = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}


def record(
    file: str,
    settings: dict[str, str],
    *,
    region: str = REGION,
    stack: str | None = None,
    last_outputs: dict[str, Any] | None = None,
) -> Recording:
    """Run the real `__main__` with the settings of `Pulumi.<file>.yaml`, the model's bucket and `settings`.

    Settings of the program go without its name, those of others as `aws:profile`. The stack is called as its file,
    unless `stack` says otherwise. `last_outputs` are those of the stack's last update, if it had one.
    """
    messages: list[str] = []
    logger = logging.Logger("pulumi")
    logger.addHandler(Messages(messages))
    mocks = Mocks(last_outputs or {})
    monitor = Monitor(mocks)
    outputs: dict[str, Any] = {}
    given = {f"{PROJECT}:model_bucket": BUCKET, **stack_settings(file)}
    given |= {key if ":" in key else f"{PROJECT}:{key}": value for key, value in settings.items()}
    given["aws:region"] = region
    ROOT_RESOURCE.set(None)
    pulumi_mocks.set_mocks(mocks, project=PROJECT, stack=stack or file, preview=False, logger=logger, monitor=monitor)

    @pulumi_mocks.test
    def run() -> pulumi.Output[None]:
        # Inside, so that the program's context sees it.
        pulumi.runtime.set_all_config(given)
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
        root = pulumi.runtime.get_root_resource()
        assert isinstance(root, Stack)
        return pulumi.Output.from_input(dict(root.outputs)).apply(outputs.update)

    with warnings.catch_warnings():
        # The SDK's modules announce themselves as deprecated when read; what we use of them is in `messages` as well.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="pulumi_aws")
        run()
    return Recording(monitor.recorded, outputs, messages, mocks.calls)
