"""The containers that a task runs, as the task definition spells it: plain data, the same text for the same input."""

import json
from typing import Any

from stack.settings.config import Config
from stack.storage.model import PublishedModel
from stack.tasks import timeouts

NAME = "api"
SCORE = "score"
"""The container's name in the task that scores a table."""
PORT = 8000
METRICS_PORT = 9000
USER = "10001:10001"
TMP = "tmp"
"""The volume at /tmp, the only place the container may write to."""


RELAY = "relay"
RELAY_MEMORY_MIB = 64
"""Of the task's memory the most that the relay may take; it was measured to use 11 MB."""


def containers(
    config: Config, model: PublishedModel, image: str, log_group: str, capture_log_group: str | None = None
) -> list[dict[str, Any]]:
    """The container definitions of a task: the service, and the relay where rows are captured."""
    service = container_definition(config, model, image=image, log_group=log_group)
    return [service, *([_relay(config, image, capture_log_group)] if capture_log_group else [])]


def container_definition(config: Config, model: PublishedModel, *, image: str, log_group: str) -> dict[str, Any]:
    """The service: lists sorted, empty ones written out, as AWS returns them: no run differs by itself."""
    environment = _model(config, model) | {
        "CAPTURE_PERCENT": f"{config.capture_percent:g}",
        "DOCS": "true" if config.docs else "false",
        "HOST": "0.0.0.0",  # noqa: S104 - the task's own network interface, behind its security group
        "KEEP_ALIVE_SECONDS": str(timeouts.KEEP_ALIVE),
        "LOG_REQUESTS": config.log_requests,
        "MODEL_METRICS": config.model_metrics,
        "PORT": str(PORT),
        "SERVICE_NAME": config.prefix,
        "SHUTDOWN_SECONDS": str(timeouts.SHUTDOWN),
        "START_SECONDS": str(config.start_seconds),
        "TRUSTED_PROXIES": "1",  # the load balancer, which appends the caller's address to X-Forwarded-For
    }
    if config.metrics_from_security_group:
        environment["METRICS_PORT"] = str(METRICS_PORT)
    definition: dict[str, Any] = {
        **_confined(NAME, image),
        **_writing(config, NAME, log_group),
        "environment": _listed(environment),
        "essential": True,
        "healthCheck": {
            "command": ["CMD", "python", "-m", "api.healthcheck"],
            "interval": 20,
            "retries": 3,
            "startPeriod": config.start_seconds,
            "timeout": 5,
        },
        "portMappings": [{"containerPort": PORT, "hostPort": PORT, "protocol": "tcp"}],
    }
    if config.api_keys_secret:
        definition["secrets"] = [{"name": "API_KEYS", "valueFrom": config.api_keys_secret}]
    return definition


def scoring_container(config: Config, model: PublishedModel, *, image: str, log_group: str) -> dict[str, Any]:
    """The container that scores a table: the same model in the same confinement, and no port.

    Each version of the model has a folder of its own for its scores, which no two models share.
    """
    arguments = ["--data", str(config.score_data), "--out", f"{config.score_out}/{model.version}"]
    return {
        **_confined(SCORE, image),
        **_writing(config, SCORE, log_group),
        "command": ["python", "-m", "api.scoring", *arguments],
        "environment": _listed(_model(config, model)),
        "essential": True,
        "portMappings": [],
    }


def _relay(config: Config, image: str, log_group: str) -> dict[str, Any]:
    """What takes captured rows to a log of their own; should it end, the service goes on and drops them."""
    return {
        **_confined(RELAY, image),
        "command": ["python", "-m", "api.relay"],
        "environment": [],
        "essential": False,
        # A slow log stops the relay, and the service counts the rows that it could not pass on.
        "logConfiguration": _log(config, RELAY, log_group, mode="blocking"),
        "memory": RELAY_MEMORY_MIB,
        "mountPoints": [],
        "portMappings": [],
    }


def _confined(name: str, image: str) -> dict[str, Any]:
    """An ordinary user without capabilities, on a file system that nobody writes to."""
    return {
        "image": image,
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}, "initProcessEnabled": True},
        "name": name,
        "privileged": False,
        "readonlyRootFilesystem": True,
        "stopTimeout": timeouts.STOP,
        "systemControls": [],
        "user": USER,
        "volumesFrom": [],
    }


def _writing(config: Config, name: str, log_group: str) -> dict[str, Any]:
    """Where a container that loads a model writes: /tmp, and a log, which if it is slow costs lines, not work."""
    return {
        "logConfiguration": _log(config, name, log_group, **{"max-buffer-size": "25m", "mode": "non-blocking"}),
        "mountPoints": [{"containerPath": "/tmp", "readOnly": False, "sourceVolume": TMP}],  # noqa: S108
        "ulimits": [{"hardLimit": 65535, "name": "nofile", "softLimit": 65535}],
    }


def _model(config: Config, model: PublishedModel) -> dict[str, str]:
    return {
        "HOME": "/tmp",  # noqa: S108 - the only writable directory of a read-only container
        "MODEL_BUCKET": config.model_bucket,
        "MODEL_PATH": model.path,
        "MODEL_SHA256": model.sha256,
        "TMPDIR": "/tmp",  # noqa: S108
    }


def _listed(environment: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in sorted(environment.items())]


def _log(config: Config, name: str, group: str, **options: str) -> dict[str, Any]:
    names = {"awslogs-group": group, "awslogs-region": config.region, "awslogs-stream-prefix": name}
    return {"logDriver": "awslogs", "options": names | options}


def canonical_json(definitions: list[dict[str, Any]]) -> str:
    """The `container_definitions` of a task."""
    return json.dumps(definitions, sort_keys=True, separators=(",", ":"))
