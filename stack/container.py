"""The container that a task runs, as the task definition spells it: plain data, the same text for the same input."""

import json
from typing import Any

from stack import timeouts
from stack.config import Config
from stack.model import PublishedModel

NAME = "api"
SCORE = "score"
"""The container's name in the task that scores a table."""
PORT = 8000
METRICS_PORT = 9000
USER = "10001:10001"
TMP = "tmp"
"""The volume at /tmp, the only place the container may write to."""


def container_definition(config: Config, model: PublishedModel, *, image: str, log_group: str) -> dict[str, Any]:
    """One container definition: lists sorted, empty ones written out, as AWS returns them: no run differs by itself."""
    definition = _contained(
        config, _environment(config, model) | _serving(config), image=image, log_group=log_group, name=NAME
    )
    definition |= {
        "healthCheck": {
            "command": ["CMD", "python", "-m", "api.healthcheck"],
            "interval": 20,
            "retries": 3,
            "startPeriod": config.start_seconds,
            "timeout": 5,
        },
        "portMappings": [{"containerPort": PORT, "hostPort": PORT, "protocol": "tcp"}],
        "stopTimeout": timeouts.STOP,
    }
    if config.api_keys_secret:
        definition["secrets"] = [{"name": "API_KEYS", "valueFrom": config.api_keys_secret}]
    return definition


def scoring_container(config: Config, model: PublishedModel, *, image: str, log_group: str) -> dict[str, Any]:
    """The container that scores a table: the same model in the same confinement, and no port.

    Each version of the model has a folder of its own for its scores, which no two models share.
    """
    definition = _contained(config, _environment(config, model), image=image, log_group=log_group, name=SCORE)
    arguments = ["--data", str(config.score_data), "--out", f"{config.score_out}/{model.version}"]
    return definition | {"command": ["python", "-m", "api.scoring", *arguments], "stopTimeout": timeouts.STOP}


def _environment(config: Config, model: PublishedModel) -> dict[str, str]:
    return {
        "HOME": "/tmp",  # noqa: S108 - the only writable directory of a read-only container
        "MODEL_BUCKET": config.model_bucket,
        "MODEL_PATH": model.path,
        "MODEL_SHA256": model.sha256,
        "TMPDIR": "/tmp",  # noqa: S108
    }


def _serving(config: Config) -> dict[str, str]:
    return {
        "DOCS": "true" if config.docs else "false",
        "HOST": "0.0.0.0",  # noqa: S104 - the task's own network interface, behind its security group
        "KEEP_ALIVE_SECONDS": str(timeouts.KEEP_ALIVE),
        "METRICS_PORT": str(METRICS_PORT),
        "PORT": str(PORT),
        "SHUTDOWN_SECONDS": str(timeouts.SHUTDOWN),
        "START_SECONDS": str(config.start_seconds),
        "TRUSTED_PROXIES": "1",  # the load balancer, which appends the caller's address to X-Forwarded-For
    }


def _contained(config: Config, environment: dict[str, str], *, image: str, log_group: str, name: str) -> dict[str, Any]:
    """What every container of ours is: read-only, nobody special, its lines in the log group."""
    return {
        "environment": [{"name": name, "value": value} for name, value in sorted(environment.items())],
        "essential": True,
        "image": image,
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}, "initProcessEnabled": True},
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": log_group,
                "awslogs-region": config.region,
                "awslogs-stream-prefix": name,
                "max-buffer-size": "25m",
                "mode": "non-blocking",
            },
        },
        "mountPoints": [{"containerPath": "/tmp", "readOnly": False, "sourceVolume": TMP}],  # noqa: S108
        "name": name,
        "portMappings": [],
        "privileged": False,
        "readonlyRootFilesystem": True,
        "systemControls": [],
        "ulimits": [{"hardLimit": 65535, "name": "nofile", "softLimit": 65535}],
        "user": USER,
        "volumesFrom": [],
    }


def canonical_json(definition: dict[str, Any]) -> str:
    """The `container_definitions` of a task with this one container."""
    return json.dumps([definition], sort_keys=True, separators=(",", ":"))
