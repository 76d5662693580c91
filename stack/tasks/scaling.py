"""Scaling: as many tasks as the load needs, between the configured bounds."""

import pulumi
import pulumi_aws as aws

from stack.settings.config import Config
from stack.tasks.service import Service
from stack.traffic.balancer import Balancer

PolicyDict = aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgsDict
MetricDict = (
    aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetricArgsDict
)


class Scaling(pulumi.ComponentResource):
    """Target tracking on CPU and on requests per task, and bounds that may change by the clock."""

    def __init__(
        self,
        config: Config,
        service: Service,
        balancer: Balancer,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Scale `service`."""
        super().__init__("housing:service:Scaling", config.prefix, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        kept = pulumi.ResourceOptions(parent=self, protect=config.protected)
        target = aws.appautoscaling.Target(
            config.prefix,
            service_namespace="ecs",
            scalable_dimension="ecs:service:DesiredCount",
            resource_id=pulumi.Output.concat("service/", service.cluster_name, "/", service.name),
            min_capacity=config.min_tasks,
            max_capacity=config.max_tasks,
            # With a schedule the clock owns the bounds: a refresh at night must not end in the day's.
            opts=pulumi.ResourceOptions.merge(
                kept, pulumi.ResourceOptions(ignore_changes=["minCapacity", "maxCapacity"] if config.schedule else [])
            ),
        )
        cpu: PolicyDict = {
            "predefined_metric_specification": {"predefined_metric_type": "ECSServiceAverageCPUUtilization"},
            "target_value": config.cpu_target,
        }
        requests = _requests_of_two_groups(balancer) if config.canary else _requests(balancer)
        requests["target_value"] = config.requests_per_task
        for name, tracking in (("cpu", cpu), ("requests", requests)):
            tracking["scale_out_cooldown"] = config.scale_out_cooldown
            tracking["scale_in_cooldown"] = config.scale_in_cooldown
            aws.appautoscaling.Policy(
                f"{config.prefix}-{name}",
                policy_type="TargetTrackingScaling",
                service_namespace=target.service_namespace,
                scalable_dimension=target.scalable_dimension,
                resource_id=target.resource_id,
                target_tracking_scaling_policy_configuration=tracking,
                opts=kept,
            )
        for entry in config.schedule:
            aws.appautoscaling.ScheduledAction(
                f"{config.prefix}-{entry.name}",
                service_namespace=target.service_namespace,
                scalable_dimension=target.scalable_dimension,
                resource_id=target.resource_id,
                schedule=entry.schedule,
                timezone=entry.timezone,
                scalable_target_action={"min_capacity": entry.min_tasks, "max_capacity": entry.max_tasks},
                opts=child,
            )
        self.register_outputs({})


def _requests(balancer: Balancer) -> PolicyDict:
    label = pulumi.Output.concat(balancer.arn_suffix, "/", balancer.target_group.arn_suffix)
    return {
        "predefined_metric_specification": {
            "predefined_metric_type": "ALBRequestCountPerTarget",
            "resource_label": label,
        },
        "target_value": 0,
    }


def _requests_of_two_groups(balancer: Balancer) -> PolicyDict:
    """The predefined metric knows one target group; the tasks of a canary service are in either."""
    groups = dict(zip(("blue", "green"), balancer.target_groups, strict=True))
    metrics: list[MetricDict] = [
        {
            "id": id_,
            "metric_stat": {
                "metric": {
                    "namespace": "AWS/ApplicationELB",
                    "metric_name": "RequestCountPerTarget",
                    "dimensions": [
                        {"name": "LoadBalancer", "value": balancer.arn_suffix},
                        {"name": "TargetGroup", "value": group.arn_suffix},
                    ],
                },
                "stat": "Sum",
            },
            "return_data": False,
        }
        for id_, group in groups.items()
    ]
    metrics.append({"id": "total", "expression": "FILL(blue, 0) + FILL(green, 0)", "return_data": True})
    return {"customized_metric_specification": {"metrics": metrics}, "target_value": 0}
