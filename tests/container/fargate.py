"""Fargate on this machine: a container definition as the stack makes it, as flags of `docker run`."""

import resource
import shlex
from typing import Any


def flags(definition: dict[str, Any], *, cpu: int, memory: int, secrets: dict[str, str] | None = None) -> list[str]:
    """What `docker run` needs to treat the image as Fargate would.

    Args:
        definition: one container definition of a task definition.
        cpu: the task's CPU units, 1024 for a vCPU.
        memory: the task's memory in MiB; no swap, as on Fargate.
        secrets: the values of the definition's secrets, by the name of their variable.
    """
    result = ["--network", "host", "--cpus", str(cpu / 1024), "--memory", f"{memory}m", "--memory-swap", f"{memory}m"]
    result += ["--user", definition["user"], "--security-opt", "no-new-privileges"]
    if definition["readonlyRootFilesystem"]:
        result.append("--read-only")
    if definition["linuxParameters"]["initProcessEnabled"]:
        result.append("--init")
    for capability in definition["linuxParameters"]["capabilities"]["drop"]:
        result += ["--cap-drop", capability]
    for mount in definition["mountPoints"]:
        result += ["--tmpfs", mount["containerPath"]]
    for limit in definition["ulimits"]:
        # This machine may allow less than Fargate.
        most = resource.getrlimit(getattr(resource, f"RLIMIT_{limit['name'].upper()}"))[1]
        soft, hard = (min(limit[kind], most) for kind in ("softLimit", "hardLimit"))
        result += ["--ulimit", f"{limit['name']}={soft}:{hard}"]
    environment = {entry["name"]: entry["value"] for entry in definition["environment"]}
    for secret in definition.get("secrets", []):
        environment[secret["name"]] = (secrets or {})[secret["name"]]
    for name, value in environment.items():
        result += ["--env", f"{name}={value}"]
    return [*result, *_health(definition.get("healthCheck")), "--stop-timeout", str(definition["stopTimeout"])]


def _health(check: dict[str, Any] | None) -> list[str]:
    """Fargate knows the definition's check alone, not the image's."""
    if check is None:
        return ["--no-healthcheck"]
    result = ["--health-cmd", shlex.join(check["command"][1:]), "--health-retries", str(check["retries"])]
    for option in ("interval", "timeout", "startPeriod"):
        result += [f"--health-{'start-period' if option == 'startPeriod' else option}", f"{check[option]}s"]
    return result
