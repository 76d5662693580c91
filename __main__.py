"""The whole deployment on one screen: configuration, model, components, outputs."""

import pulumi

from stack.network.availability_zones import find_availability_zones
from stack.network.endpoints import find_endpoint_services
from stack.network.existing_network import ExistingNetwork, find_network
from stack.network.network import Network
from stack.provider import provider
from stack.settings.loading import load
from stack.storage.key import check_key
from stack.storage.log_bucket import LogBucket
from stack.storage.model import find
from stack.storage.model_bucket import ModelBucket, refuse_unless_first
from stack.tasks.identity import Identity
from stack.tasks.image import Image
from stack.tasks.registry import Registry
from stack.tasks.scaling import Scaling
from stack.tasks.scoring import Scoring
from stack.tasks.service import Service
from stack.traffic.balancer import Balancer
from stack.traffic.firewall import Firewall
from stack.traffic.hosted_zone import find_hosted_zone
from stack.watching.alarms import Alarms
from stack.watching.logs import task_logs
from stack.watching.model_alarms import ModelAlarms
from stack.watching.monitoring import Monitoring

config = load()
check_key(config)
model = find(config)
zones, services = find_availability_zones(config), find_endpoint_services(config)
hosted_zone, found = find_hosted_zone(config), find_network(config)
opts = pulumi.ResourceOptions(provider=provider(config))
models = [ModelBucket(config, opts)] if config.create_model_bucket else []
if model is None:
    refuse_unless_first(config)
    pulumi.export("next_step", f"python -m training publish --store s3://{config.model_bucket}, then pulumi up again")
else:
    logs = LogBucket(config, opts)
    network = ExistingNetwork(config, found, services, opts) if found else Network(config, zones, services, logs, opts)
    registry = Registry(config, opts)
    image = config.image_uri or Image(config, registry, opts).uri
    output = task_logs(config, opts)
    identity = Identity(config, model, registry, output, opts)
    balancer = Balancer(config, network, hosted_zone, logs, opts)
    firewall = Firewall(config, balancer.arn, opts) if config.has_firewall else None
    alarms = Alarms(config, balancer, opts)
    service = Service(config, model, image, output, identity, network, balancer, alarms, opts)
    scaling = Scaling(config, service, balancer, opts)
    model_alarms = ModelAlarms(config, balancer, alarms, opts)
    scoring = [Scoring(config, model, registry, output, network, service, alarms, opts)] if config.scoring else []
    rest = [*models, logs, network, registry, *output.groups, identity, scaling, model_alarms, *scoring]
    monitoring = Monitoring(config, service, balancer, firewall, alarms, rest, opts)

    pulumi.export("url", balancer.url)
    pulumi.export("alb_dns_name", balancer.dns_name)
    pulumi.export("ecr_repository_url", registry.url)
    pulumi.export("ecs_cluster", service.cluster_name)
    pulumi.export("ecs_service", service.name)
    pulumi.export("ecs_task_definition", service.task_definition_arn)
    pulumi.export("ecs_task_role_arn", identity.task_role_arn)
    pulumi.export("ecs_execution_role_arn", identity.execution_role_arn)
    for part in (output, *scoring):
        for name, value in part.exports.items():
            pulumi.export(name, value)
    pulumi.export("dashboard_url", monitoring.dashboard_url)
    pulumi.export("model", {"path": model.path, "version": model.version, "sha256": model.sha256})
