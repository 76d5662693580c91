"""The container definition: plain data, tested without Pulumi."""

import json
import re
from pathlib import Path
from typing import Any

from stack.settings.config import Config
from stack.storage.model import PublishedModel
from stack.tasks import timeouts
from stack.tasks.container import canonical_json, container_definition, containers

MODEL = PublishedModel(path="mlflow/models/california-housing/6", sha256="6" * 64, version="6")


def definition(**settings: Any) -> dict[str, Any]:
    config = Config(stack="dev", region="eu-central-1", model_bucket="housing-models", **settings)
    return container_definition(config, MODEL, image="housing@sha256:1", log_group="housing-log")


def environment(**settings: Any) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in definition(**settings)["environment"]}


def test_the_environment_is_the_services_own() -> None:
    """The task gets the settings that the service reads, and no other."""
    assert environment(start_seconds=90) == {
        "CAPTURE_PERCENT": "0",
        "DOCS": "false",
        "HOME": "/tmp",
        "HOST": "0.0.0.0",
        "KEEP_ALIVE_SECONDS": "75",
        "LOG_REQUESTS": "errors",
        "MODEL_BUCKET": "housing-models",
        "MODEL_METRICS": "model",
        "MODEL_PATH": "mlflow/models/california-housing/6",
        "MODEL_SHA256": "6" * 64,
        "PORT": "8000",
        "SERVICE_NAME": "housing-dev",
        "SHUTDOWN_SECONDS": "20",
        "START_SECONDS": "90",
        "TMPDIR": "/tmp",
        "TRUSTED_PROXIES": "1",
    }
    assert environment(docs=True)["DOCS"] == "true"
    assert environment(log_requests="all")["LOG_REQUESTS"] == "all"


def test_it_is_healthy_when_it_can_predict() -> None:
    """The container's own check asks /ready every 20 seconds, and three failures replace the task."""
    assert definition(start_seconds=90)["healthCheck"] == {
        "command": ["CMD", "python", "-m", "api.healthcheck"],
        "interval": 20,
        "retries": 3,
        "startPeriod": 90,
        "timeout": 5,
    }


def test_it_is_locked_down() -> None:
    """An ordinary user without capabilities on a read-only file system, with /tmp alone to write to."""
    container = definition()
    assert container["user"] == "10001:10001"
    assert container["readonlyRootFilesystem"] is True
    assert container["privileged"] is False
    assert container["linuxParameters"] == {"capabilities": {"drop": ["ALL"]}, "initProcessEnabled": True}
    assert container["mountPoints"] == [{"containerPath": "/tmp", "readOnly": False, "sourceVolume": "tmp"}]


def test_the_image_declares_the_volume() -> None:
    """Fargate gives a volume the image's permissions only if the Dockerfile names it; else /tmp is root's alone."""
    dockerfile = (Path(__file__).parents[2] / "Dockerfile").read_text()
    assert re.search(r'^VOLUME \["?/tmp"?\]|^VOLUME /tmp', dockerfile, re.MULTILINE)


def test_only_the_service_port_is_published() -> None:
    """The metrics' port is no way in for callers; there is one only for the group that may scrape it."""
    for group in (None, "sg-0a1b2c3d4e5f60718"):
        assert definition(metrics_from_security_group=group)["portMappings"] == [
            {"containerPort": 8000, "hostPort": 8000, "protocol": "tcp"}
        ]
    assert "METRICS_PORT" not in environment()
    assert environment(metrics_from_security_group="sg-0a1b2c3d4e5f60718")["METRICS_PORT"] == "9000"


def test_logs_never_block_the_service() -> None:
    """A slow log service costs log lines, not requests."""
    assert definition()["logConfiguration"] == {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": "housing-log",
            "awslogs-region": "eu-central-1",
            "awslogs-stream-prefix": "api",
            "max-buffer-size": "25m",
            "mode": "non-blocking",
        },
    }


def test_api_keys_come_from_the_secret() -> None:
    """The keys are injected by ECS and appear in no environment."""
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys-AbCdEf"
    assert "secrets" not in definition()
    assert definition(api_keys_secret=arn)["secrets"] == [{"name": "API_KEYS", "valueFrom": arn}]
    assert "API_KEYS" not in environment(api_keys_secret=arn)


def test_the_times_agree() -> None:
    """Balancer before server, server before ECS: each gives up before the next one does."""
    assert timeouts.KEEP_ALIVE == timeouts.IDLE + 15
    assert timeouts.SHUTDOWN < timeouts.STOP
    assert timeouts.DEREGISTRATION <= timeouts.STOP
    assert definition()["stopTimeout"] == timeouts.STOP


def test_captured_rows_go_to_a_log_of_their_own() -> None:
    """Through a second container of the same image, as locked down as the first, which may end without it."""
    config = Config(stack="dev", region="eu-central-1", model_bucket="housing-models", capture_percent=2.5)
    service, relay = containers(config, MODEL, "housing@sha256:1", "housing-log", "housing-captured")
    assert {entry["name"]: entry["value"] for entry in service["environment"]}["CAPTURE_PERCENT"] == "2.5"
    assert relay["command"] == ["python", "-m", "api.relay"]
    assert (relay["essential"], service["essential"]) == (False, True)
    assert "dependsOn" not in service
    assert 0 < relay["memory"] <= config.memory / 8
    assert relay["logConfiguration"]["options"] == {
        "awslogs-group": "housing-captured",
        "awslogs-region": "eu-central-1",
        "awslogs-stream-prefix": "relay",
        "mode": "blocking",
    }
    for key in ("image", "user", "readonlyRootFilesystem", "privileged", "linuxParameters"):
        assert relay[key] == service[key]
    assert relay["mountPoints"] == relay["portMappings"] == relay["environment"] == []
    assert len(containers(config, MODEL, "housing@sha256:1", "housing-log")) == 1


def test_the_text_is_canonical() -> None:
    """The same input is the same text: sorted, nothing null, and empty lists written out as AWS returns them."""
    text = canonical_json([definition()])
    (container,) = json.loads(text)
    assert text == json.dumps([container], sort_keys=True, separators=(",", ":"))
    assert "null" not in text
    names = [entry["name"] for entry in container["environment"]]
    assert names == sorted(names)
    assert container["systemControls"] == container["volumesFrom"] == []
