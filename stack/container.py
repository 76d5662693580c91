"""The container that a task runs, as the task definition spells it: plain data, the same text for the same input."""

import json
from typing import Any

from stack import timeouts
from stack.config import Config
from stack.model import PublishedModel

NAME = "api"
PORT = 8000
METRICS_PORT = 9000
USER = "10001:10001"
TMP = "tmp"
"""The volume at /tmp, the only place the container may write to."""


def container_definition(config: Config, model: PublishedModel, *, image: str, log_group: str) -> dict[str, Any]:
    """One container definition: lists sorted, empty ones written out, as AWS returns them: no run differs by itself."""
    environment = {
        "DOCS": "true" if config.docs else "false",
        "HOME": "/tmp",  # noqa: S108 - the only writable directory of a read-only container
        "HOST": "0.0.0.0",  # noqa: S104 - the task's own network interface, behind its security group
        "KEEP_ALIVE_SECONDS": str(timeouts.KEEP_ALIVE),
        "LOG_REQUESTS": config.log_requests,
        "METRICS_PORT": str(METRICS_PORT),
        "MODEL_BUCKET": config.model_bucket,
        "MODEL_PATH": model.path,
        "MODEL_SHA256": model.sha256,
        "PORT": str(PORT),
        "SHUTDOWN_SECONDS": str(timeouts.SHUTDOWN),
        "START_SECONDS": str(config.start_seconds),
        "TMPDIR": "/tmp",  # noqa: S108
        "TRUSTED_PROXIES": "1",  # the load balancer, which appends the caller's address to X-Forwarded-For
    }
    definition: dict[str, Any] = {
        "environment": [{"name": name, "value": value} for name, value in sorted(environment.items())],
        "essential": True,
        "healthCheck": {
            "command": ["CMD", "python", "-m", "api.healthcheck"],
            "interval": 20,
            "retries": 3,
            "startPeriod": config.start_seconds,
            "timeout": 5,
        },
        "image": image,
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}, "initProcessEnabled": True},
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": log_group,
                "awslogs-region": config.region,
                "awslogs-stream-prefix": NAME,
                "max-buffer-size": "25m",
                "mode": "non-blocking",
            },
        },
        "mountPoints": [{"containerPath": "/tmp", "readOnly": False, "sourceVolume": TMP}],  # noqa: S108
        "name": NAME,
        "portMappings": [{"containerPort": PORT, "hostPort": PORT, "protocol": "tcp"}],
        "privileged": False,
        "readonlyRootFilesystem": True,
        "stopTimeout": timeouts.STOP,
        "systemControls": [],
        "ulimits": [{"hardLimit": 65535, "name": "nofile", "softLimit": 65535}],
        "user": USER,
        "volumesFrom": [],
    }
    if config.api_keys_secret:
        definition["secrets"] = [{"name": "API_KEYS", "valueFrom": config.api_keys_secret}]
    return definition


def canonical_json(definition: dict[str, Any]) -> str:
    """The `container_definitions` of a task with this one container."""
    return json.dumps([definition], sort_keys=True, separators=(",", ":"))
