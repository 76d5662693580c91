"""Alarms on the traffic: they tell people, and they roll a bad deployment back."""

import pulumi
import pulumi_aws as aws

from stack.settings.config import FEWEST_IN_SHARE, Config
from stack.traffic.balancer import Balancer
from stack.watching.metrics import Dimensions, MetricDict, metric

TRAFFIC = "AWS/ApplicationELB"

ERROR_PERCENT = 5
FEWEST_REQUESTS = 20
"""In a minute with fewer requests one error would be a high rate."""
P95_SECONDS = 0.5


class Alarms(pulumi.ComponentResource):
    """The topic that alarms are told to, and the alarms that a deployment must not raise."""

    topic_arn: pulumi.Output[str]
    deployment: list[pulumi.Output[str]]
    """Names of the alarms that ECS watches while it deploys."""

    def __init__(
        self,
        config: Config,
        balancer: Balancer,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Watch the balancer, and with canary deployments each target group: a small share hides among the rest."""
        super().__init__("housing:monitoring:Alarms", config.prefix, None, opts)
        self._name = config.prefix
        self._child = pulumi.ResourceOptions(parent=self)
        self.topic_arn = self._topic(config)
        everything: Dimensions = {"LoadBalancer": balancer.arn_suffix}
        self.deployment = [
            self._errors(everything),
            self._latency("latency", "", everything, FEWEST_REQUESTS),
            self._unhealthy(balancer),
        ]
        if balancer.canary:
            # Which of the two has the new revision changes with every deployment.
            for colour, group in zip(("blue", "green"), balancer.target_groups, strict=True):
                share: Dimensions = {"LoadBalancer": balancer.arn_suffix, "TargetGroup": group.arn_suffix}
                self.deployment += [
                    self._errors_of_share(colour, share),
                    self._latency(f"{colour}-latency", f" in the {colour} target group", share, FEWEST_IN_SHARE),
                ]
        self.register_outputs({"topic_arn": self.topic_arn})

    def _topic(self, config: Config) -> pulumi.Output[str]:
        topic = aws.sns.Topic(self._name, kms_master_key_id=config.kms_key_arn, opts=self._child)
        tellers = ["cloudwatch.amazonaws.com", *(["events.amazonaws.com"] if config.scoring else [])]
        aws.sns.TopicPolicy(
            self._name,
            arn=topic.arn,
            policy=pulumi.Output.json_dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": tellers[0] if len(tellers) == 1 else tellers},
                            "Action": "sns:Publish",
                            "Resource": topic.arn,
                            "Condition": {"StringEquals": {"aws:SourceAccount": topic.owner}},
                        }
                    ],
                }
            ),
            opts=self._child,
        )
        if config.alarm_email:
            aws.sns.TopicSubscription(
                self._name, topic=topic.arn, protocol="email", endpoint=config.alarm_email, opts=self._child
            )
        return topic.arn

    def _errors(self, everything: Dimensions) -> pulumi.Output[str]:
        # The balancer does not count a request that it found no task for, but answers it with an error of its own.
        total = "FILL(requests, 0) + FILL(own, 0)"
        rate = f"100 * (FILL(answered, 0) + FILL(own, 0)) / ({total})"
        return self._alarm(
            "errors",
            f"More than {ERROR_PERCENT} % of the requests fail (5xx)",
            f"IF({total} >= {FEWEST_REQUESTS}, {rate}, 0)",
            [
                metric("requests", TRAFFIC, "RequestCount", "Sum", everything),
                metric("answered", TRAFFIC, "HTTPCode_Target_5XX_Count", "Sum", everything),
                metric("own", TRAFFIC, "HTTPCode_ELB_5XX_Count", "Sum", everything),
            ],
            threshold=ERROR_PERCENT,
            datapoints=2,
        )

    def _errors_of_share(self, colour: str, share: Dimensions) -> pulumi.Output[str]:
        return self._alarm(
            f"{colour}-errors",
            f"More than {ERROR_PERCENT} % of the requests in the {colour} target group fail (5xx)",
            f"IF(FILL(requests, 0) >= {FEWEST_IN_SHARE}, 100 * FILL(answered, 0) / requests, 0)",
            [
                metric("requests", TRAFFIC, "RequestCount", "Sum", share),
                metric("answered", TRAFFIC, "HTTPCode_Target_5XX_Count", "Sum", share),
            ],
            threshold=ERROR_PERCENT,
            datapoints=2,
        )

    def _latency(self, name: str, where: str, dimensions: Dimensions, fewest: int) -> pulumi.Output[str]:
        return self._alarm(
            name,
            f"One request in twenty{where} takes longer than {P95_SECONDS} s",
            f"IF(FILL(requests, 0) >= {fewest}, slow, 0)",
            [
                metric("requests", TRAFFIC, "RequestCount", "Sum", dimensions),
                metric("slow", TRAFFIC, "TargetResponseTime", "p95", dimensions),
            ],
            threshold=P95_SECONDS,
            datapoints=3,
        )

    def _unhealthy(self, balancer: Balancer) -> pulumi.Output[str]:
        hosts = [
            metric(
                f"group{number}",
                TRAFFIC,
                "UnHealthyHostCount",
                "Maximum",
                {"LoadBalancer": balancer.arn_suffix, "TargetGroup": group.arn_suffix},
            )
            for number, group in enumerate(balancer.target_groups)
        ]
        return self._alarm(
            "unhealthy",
            "A task does not answer GET /health",
            " + ".join(f"FILL({query['id']}, 0)" for query in hosts),
            hosts,
            threshold=0,
            datapoints=3,
        )

    def _alarm(
        self,
        name: str,
        description: str,
        expression: str,
        metrics: list[MetricDict],
        *,
        threshold: float,
        datapoints: int,
    ) -> pulumi.Output[str]:
        """Ring when `expression` exceeds `threshold` in `datapoints` of three minutes; returns the alarm's name."""
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-{name}",
            alarm_description=description,
            metric_queries=[{"id": "watched", "expression": expression, "return_data": True}, *metrics],
            comparison_operator="GreaterThanThreshold",
            threshold=threshold,
            evaluation_periods=3,
            datapoints_to_alarm=datapoints,
            treat_missing_data="notBreaching",
            actions_enabled=True,
            alarm_actions=[self.topic_arn],
            ok_actions=[self.topic_arn],
            opts=self._child,
        ).name
