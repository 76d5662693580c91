"""Alarms on the model: they tell people, and roll nothing back, since a new revision is seldom the cause."""

import pulumi
import pulumi_aws as aws

from stack.settings.config import Config
from stack.traffic.balancer import Balancer
from stack.watching.alarms import TRAFFIC, Alarms
from stack.watching.metrics import MODEL, MetricDict, metric

DRIFT = 0.2
"""Of a population stability index, the customary limit (Siddiqi, Credit Risk Scorecards, 2006). The service sends it of
the last hour, and only of so many rows that it is below 0.02 without drift."""

EXTRAPOLATED = 0.1
"""Share of the rows with a value beyond the training rows. Of the worked example's held-out rows it is 0.07 %; every
tenth row is no accident, and trees answer each with the value at the edge."""

REFUSED_PERCENT = 20
"""Callers' own slips are a few in a hundred; one refused request in five is a caller, or a model, that was changed."""

FEWEST_REQUESTS = 100
"""In five minutes with fewer, one person who tries things out would be a high share."""

PERIOD = 300
FOR_MINUTES = 30
"""So long a share must be too high: a batch of odd rows is over by then."""


class ModelAlarms(pulumi.ComponentResource):
    """Drift, extrapolation and refused requests, told to the same topic as the alarms on the traffic."""

    def __init__(
        self, config: Config, balancer: Balancer, alarms: Alarms, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Watch what the tasks and the balancer report; without `model_metrics`, the balancer alone."""
        super().__init__("housing:monitoring:ModelAlarms", config.prefix, None, opts)
        self._name, self._topic = config.prefix, alarms.topic_arn
        traffic, model = {"LoadBalancer": balancer.arn_suffix}, {"Service": config.prefix}
        self._alarm(
            "refused",
            f"More than {REFUSED_PERCENT} % of the requests are refused (4xx): they are not what the model takes",
            f"IF(FILL(requests, 0) >= {FEWEST_REQUESTS}, 100 * FILL(refused, 0) / requests, 0)",
            [
                metric("requests", TRAFFIC, "RequestCount", "Sum", traffic, period=PERIOD),
                metric("refused", TRAFFIC, "HTTPCode_Target_4XX_Count", "Sum", traffic, period=PERIOD),
            ],
            REFUSED_PERCENT,
        )
        if config.model_metrics != "none":
            self._alarm(
                "drift",
                f"The rows or the predictions of an hour are not like those in training (index above {DRIFT})",
                "MAX([FILL(features, 0), FILL(predictions, 0)])",
                [
                    metric("features", MODEL, "FeatureDrift", "Average", model, period=PERIOD),
                    metric("predictions", MODEL, "PredictionDrift", "Average", model, period=PERIOD),
                ],
                DRIFT,
            )
            self._alarm(
                "extrapolated",
                f"More than {EXTRAPOLATED:.0%} of the rows lie beyond all that the model has seen in training",
                "FILL(share, 0)",
                [metric("share", MODEL, "ExtrapolatedShare", "Average", model, period=PERIOD)],
                EXTRAPOLATED,
            )
        self.register_outputs({})

    def _alarm(self, name: str, description: str, expression: str, metrics: list[MetricDict], threshold: float) -> None:
        aws.cloudwatch.MetricAlarm(
            f"{self._name}-{name}",
            alarm_description=description,
            metric_queries=[{"id": "watched", "expression": expression, "return_data": True}, *metrics],
            comparison_operator="GreaterThanThreshold",
            threshold=threshold,
            evaluation_periods=FOR_MINUTES * 60 // PERIOD,
            treat_missing_data="notBreaching",
            actions_enabled=True,
            alarm_actions=[self._topic],
            ok_actions=[self._topic],
            opts=pulumi.ResourceOptions(parent=self),
        )
