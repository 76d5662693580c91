"""CloudWatch's metrics as alarms compute with them."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

MODEL = "ModelServing"
"""Namespace of what the tasks tell of their model (`api/watch/embedded.py`); its dimension `Service` is the stack."""

MetricDict = aws.cloudwatch.MetricAlarmMetricQueryArgsDict
Dimensions = Mapping[str, pulumi.Input[str]]


def metric(id_: str, namespace: str, name: str, stat: str, dimensions: Dimensions, *, period: int = 60) -> MetricDict:
    """A metric under the name that an expression calls it by."""
    return {
        "id": id_,
        "metric": {
            "namespace": namespace,
            "metric_name": name,
            "stat": stat,
            "period": period,
            "dimensions": dimensions,
        },
        "return_data": False,
    }
