"""Alarms on the traffic: they tell people, and they roll a bad deployment back."""

import pulumi
import pulumi_aws as aws

from stack.balancer import Balancer
from stack.config import Config

MetricDict = aws.cloudwatch.MetricAlarmMetricQueryArgsDict

ERROR_PERCENT = 5
FEWEST_REQUESTS = 20
"""In a minute with fewer requests one error would be a high rate."""
P95_SECONDS = 0.5


class Alarms(pulumi.ComponentResource):
    """The topic that alarms are told to, and the three alarms that a deployment must not raise."""

    topic_arn: pulumi.Output[str]
    deployment: list[pulumi.Output[str]]
    """Names of the alarms that ECS watches while it deploys."""

    def __init__(
        self,
        config: Config,
        balancer: Balancer,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Watch the balancer and all its target groups."""
        super().__init__("housing:monitoring:Alarms", config.name, None, opts)
        self._name = config.name
        self._child = pulumi.ResourceOptions(parent=self)
        self.topic_arn = self._topic(config.alarm_email)
        self.deployment = [
            self._errors(balancer).name,
            self._latency(balancer).name,
            self._unhealthy(balancer).name,
        ]
        self.register_outputs({"topic_arn": self.topic_arn})

    def _topic(self, email: str | None) -> pulumi.Output[str]:
        topic = aws.sns.Topic(self._name, opts=self._child)
        aws.sns.TopicPolicy(
            self._name,
            arn=topic.arn,
            policy=pulumi.Output.json_dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudwatch.amazonaws.com"},
                            "Action": "sns:Publish",
                            "Resource": topic.arn,
                            "Condition": {"StringEquals": {"aws:SourceAccount": topic.owner}},
                        }
                    ],
                }
            ),
            opts=self._child,
        )
        if email:
            aws.sns.TopicSubscription(self._name, topic=topic.arn, protocol="email", endpoint=email, opts=self._child)
        return topic.arn

    def _errors(self, balancer: Balancer) -> aws.cloudwatch.MetricAlarm:
        dimensions = {"LoadBalancer": balancer.arn_suffix}
        # The balancer does not count a request that it found no task for, but answers it with an error of its own.
        total = "FILL(requests, 0) + FILL(own, 0)"
        rate = f"100 * (FILL(answered, 0) + FILL(own, 0)) / ({total})"
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-errors",
            alarm_description=f"More than {ERROR_PERCENT} % of the requests fail (5xx)",
            metric_queries=[
                {"id": "rate", "expression": f"IF({total} >= {FEWEST_REQUESTS}, {rate}, 0)", "return_data": True},
                _metric("requests", "RequestCount", "Sum", dimensions),
                _metric("answered", "HTTPCode_Target_5XX_Count", "Sum", dimensions),
                _metric("own", "HTTPCode_ELB_5XX_Count", "Sum", dimensions),
            ],
            comparison_operator="GreaterThanThreshold",
            threshold=ERROR_PERCENT,
            evaluation_periods=3,
            datapoints_to_alarm=2,
            treat_missing_data="notBreaching",
            actions_enabled=True,
            alarm_actions=[self.topic_arn],
            ok_actions=[self.topic_arn],
            opts=self._child,
        )

    def _latency(self, balancer: Balancer) -> aws.cloudwatch.MetricAlarm:
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-latency",
            alarm_description=f"One request in twenty takes longer than {P95_SECONDS} s",
            namespace="AWS/ApplicationELB",
            metric_name="TargetResponseTime",
            extended_statistic="p95",
            dimensions={"LoadBalancer": balancer.arn_suffix},
            period=60,
            comparison_operator="GreaterThanThreshold",
            threshold=P95_SECONDS,
            evaluation_periods=3,
            treat_missing_data="notBreaching",
            # One slow request among five is no percentile.
            evaluate_low_sample_count_percentiles="ignore",
            actions_enabled=True,
            alarm_actions=[self.topic_arn],
            ok_actions=[self.topic_arn],
            opts=self._child,
        )

    def _unhealthy(self, balancer: Balancer) -> aws.cloudwatch.MetricAlarm:
        hosts = [
            _metric(
                f"group{number}",
                "UnHealthyHostCount",
                "Maximum",
                {"LoadBalancer": balancer.arn_suffix, "TargetGroup": group.arn_suffix},
            )
            for number, group in enumerate(balancer.target_groups)
        ]
        total = " + ".join(f"FILL({query['id']}, 0)" for query in hosts)
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-unhealthy",
            alarm_description="A task does not answer GET /health",
            metric_queries=[{"id": "total", "expression": total, "return_data": True}, *hosts],
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            evaluation_periods=3,
            treat_missing_data="notBreaching",
            actions_enabled=True,
            alarm_actions=[self.topic_arn],
            ok_actions=[self.topic_arn],
            opts=self._child,
        )


def _metric(id_: str, name: str, stat: str, dimensions: dict[str, pulumi.Output[str]]) -> MetricDict:
    return {
        "id": id_,
        "metric": {
            "namespace": "AWS/ApplicationELB",
            "metric_name": name,
            "stat": stat,
            "period": 60,
            "dimensions": dimensions,
        },
        "return_data": False,
    }
