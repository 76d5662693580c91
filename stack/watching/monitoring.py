"""What people look at: alarms on the service itself, and a dashboard."""

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from stack.settings.config import Config
from stack.tasks.service import Service
from stack.traffic.balancer import Balancer
from stack.traffic.firewall import Firewall
from stack.watching.alarms import Alarms
from stack.watching.metrics import MODEL, MetricDict, metric

Graph = tuple[str, str, str, list[str], list[Any]]
"""Title, namespace, statistic, metrics or expressions, and the metrics' dimensions."""

BUSY_PERCENT = 90
CONSOLES = {
    "aws-cn": "console.amazonaws.cn",
    "aws-eusc": "console.amazonaws-eusc.eu",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""Where the console of another partition is."""


class Monitoring(pulumi.ComponentResource):
    """Alarms on CPU and on missing tasks, and one screen that shows how the service is."""

    dashboard_url: pulumi.Output[str]

    def __init__(
        self,
        config: Config,
        service: Service,
        balancer: Balancer,
        firewall: Firewall | None,
        alarms: Alarms,
        rest: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Watch `service`; alarms go to the topic of `alarms`. `rest` is what else the stack is made of."""
        super().__init__("housing:monitoring:Monitoring", config.prefix, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        names = {"ClusterName": service.cluster_name, "ServiceName": service.name}
        cpu = aws.cloudwatch.MetricAlarm(
            f"{config.prefix}-cpu",
            alarm_description=f"The tasks use more than {BUSY_PERCENT} % of their CPU although scaling had its time",
            namespace="AWS/ECS",
            metric_name="CPUUtilization",
            statistic="Average",
            dimensions=names,
            period=60,
            comparison_operator="GreaterThanThreshold",
            threshold=BUSY_PERCENT,
            evaluation_periods=10,
            treat_missing_data="notBreaching",
            actions_enabled=True,
            alarm_actions=[alarms.topic_arn],
            ok_actions=[alarms.topic_arn],
            opts=child,
        )
        # The clock may ask for fewer tasks, or for none.
        fewest = min([config.min_tasks, *(entry.min_tasks for entry in config.schedule)])
        tasks = aws.cloudwatch.MetricAlarm(
            f"{config.prefix}-tasks",
            alarm_description="Fewer tasks run than should",
            metric_queries=_missing_tasks(config, names, fewest),
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            evaluation_periods=5,
            treat_missing_data="breaching" if fewest else "notBreaching",
            actions_enabled=True,
            alarm_actions=[alarms.topic_arn],
            ok_actions=[alarms.topic_arn],
            opts=child,
        )
        dashboard = aws.cloudwatch.Dashboard(
            config.prefix,
            dashboard_name=config.prefix,
            dashboard_body=pulumi.Output.json_dumps(_dashboard(config, names, balancer, firewall)),
            # What a protected resource depends on stays when the rest is destroyed: here that is everything.
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=config.protected,
                depends_on=[service, balancer, alarms, cpu, tasks, *([firewall] if firewall else []), *rest],
            ),
        )
        host = CONSOLES.get(config.partition, "console.aws.amazon.com")
        console = f"https://{config.region}.{host}/cloudwatch/home?region={config.region}"
        self.dashboard_url = pulumi.Output.concat(console, "#dashboards:name=", dashboard.dashboard_name)
        self.register_outputs({"dashboard_url": self.dashboard_url})


def _missing_tasks(config: Config, names: dict[str, pulumi.Output[str]], fewest: int) -> list[MetricDict]:
    """Desired tasks less running ones; without Container Insights, less than the `fewest` that may be desired."""
    if config.container_insights == "disabled":
        # Each running task reports its CPU once a minute: the number of samples is the number of tasks.
        return [
            {"id": "missing", "expression": f"{fewest} - FILL(running, 0)", "return_data": True},
            metric("running", "AWS/ECS", "CPUUtilization", "SampleCount", names),
        ]
    return [
        {"id": "missing", "expression": "desired - running", "return_data": True},
        metric("desired", "ECS/ContainerInsights", "DesiredTaskCount", "Average", names),
        metric("running", "ECS/ContainerInsights", "RunningTaskCount", "Average", names),
    ]


def _dashboard(
    config: Config, names: dict[str, pulumi.Output[str]], balancer: Balancer, firewall: Firewall | None
) -> dict[str, Any]:
    traffic = ["LoadBalancer", balancer.arn_suffix]
    tasks = ["ClusterName", names["ClusterName"], "ServiceName", names["ServiceName"]]
    graphs: list[Graph] = [
        ("Requests and errors per minute", "AWS/ApplicationELB", "Sum",
         ["RequestCount", "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"], traffic),
        ("Latency, 95th percentile (s)", "AWS/ApplicationELB", "p95", ["TargetResponseTime"], traffic),
        ("CPU and memory (%)", "AWS/ECS", "Average", ["CPUUtilization", "MemoryUtilization"], tasks),
        ("Running tasks", "AWS/ECS", "SampleCount", ["CPUUtilization"], tasks),
    ]  # fmt: skip
    if firewall:
        wall = ["WebACL", firewall.name, "Region", config.region, "Rule", "ALL"]
        graphs.append(("Firewall", "AWS/WAFV2", "Sum", ["AllowedRequests", "BlockedRequests"], wall))
    graphs += _of_the_model(config)
    widgets = [
        {
            "type": "metric",
            "x": 12 * (number % 2),
            "y": 6 * (number // 2),
            "width": 12,
            "height": 6,
            "properties": {
                "title": title,
                "region": config.region,
                "view": "timeSeries",
                "stat": stat,
                "period": 60,
                "metrics": [
                    [{"expression": name}] if name.startswith("SEARCH") else [namespace, name, *dimensions]
                    for name in metrics
                ],
            },
        }
        for number, (title, namespace, stat, metrics, dimensions) in enumerate(graphs)
    ]
    return {"widgets": widgets}


def _of_the_model(config: Config) -> list[Graph]:
    """What the tasks tell of their model, as far as they do."""
    if config.model_metrics == "none":
        return []
    whole = ["Service", config.prefix]
    shares = ["ExtrapolatedShare", "MissingShare", "UnknownCategoryShare"]
    graphs: list[Graph] = [
        ("Predictions: mean, or share of each label", MODEL, "Average",
         ["Prediction", _each(config, "Label", "LabelShare")], whole),
        ("Drift (population stability index, last hour)", MODEL, "Average", ["PredictionDrift", "FeatureDrift"], whole),
        ("Share of odd rows", MODEL, "Average", shares, whole),
    ]  # fmt: skip
    if config.model_metrics == "features":
        graphs += [
            (f"{name} of each feature", MODEL, "Average", [_each(config, "Feature", name)], whole)
            for name in ("FeatureDrift", *shares)
        ]
    return graphs


def _each(config: Config, dimension: str, name: str) -> str:
    """An expression that finds a metric of each feature or label, whatever these are called."""
    return f"SEARCH('{{{MODEL},Service,{dimension}}} Service=\"{config.prefix}\" MetricName=\"{name}\"', 'Average', 60)"
