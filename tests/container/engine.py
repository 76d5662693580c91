"""Docker, where an engine answers: building the image, running and stopping containers."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.running import ROOT

NO_ENGINE = "no Docker engine answers: install one (Debian: apt-get install docker.io) and start it"

# Debian's client comes with BuildKit, the one first on the PATH may not.
DOCKER = next((path for path in ("/usr/bin/docker", shutil.which("docker")) if path and Path(path).exists()), "docker")


def docker(*arguments: str, check: bool = True) -> str:
    """Run a Docker command; returns what it printed, both streams."""
    done = subprocess.run(
        [DOCKER, *arguments],
        env={**os.environ, "DOCKER_BUILDKIT": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=550,
    )
    if check and done.returncode:
        raise RuntimeError(f"docker {' '.join(arguments)}\n{done.stdout}")
    return done.stdout.strip()


def answers() -> bool:
    """Whether there is an engine."""
    try:
        return subprocess.run([DOCKER, "info"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def has_image(tag: str) -> bool:
    """Whether the engine has this image already."""
    return docker("image", "ls", "--quiet", tag) != ""


def build(base: str, tag: str, *, scoring: bool = False) -> str:
    """Build the repository's image on a base; the host's network, since not every engine has a bridge."""
    return docker(
        "build",
        "--network=host",
        "--build-arg",
        f"BASE={base}",
        "--build-arg",
        "REVISION=test",
        "--build-arg",
        f"SCORING={str(scoring).lower()}",
        "--tag",
        tag,
        str(ROOT),
    )


@dataclass(frozen=True)
class Container:
    """A container that was started."""

    id: str

    def state(self) -> dict[str, Any]:
        """Docker's `State`: running, exit code, health."""
        found: dict[str, Any] = json.loads(docker("inspect", self.id))[0]["State"]
        return found

    def wait(self, seconds: float, health: str = "healthy") -> dict[str, Any]:
        """Wait until its own health check says so, or it has ended; returns its state then."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.state()
            if not state["Running"] or state.get("Health", {}).get("Status") == health:
                return state
            time.sleep(0.1)
        raise RuntimeError(f"neither {health} nor ended after {seconds:g} s:\n{self.logs()}")

    def logs(self) -> str:
        """What it wrote."""
        return docker("logs", self.id)

    def lines(self) -> list[dict[str, Any]]:
        """Its log lines, decoded."""
        return [json.loads(line) for line in self.logs().splitlines() if line.startswith("{")]

    def last_message(self) -> str:
        """Wait until it has failed; returns the message of its last log line."""
        state = self.wait(60)
        if state["Running"] or not state["ExitCode"]:
            raise RuntimeError(f"it did not fail:\n{self.logs()}")
        message: str = self.lines()[-1]["message"]
        return message

    def resident_mb(self) -> float:
        """Resident memory of its service, as the kernel counts it: without Docker's init, in units of 10^6 bytes."""
        _, *processes = docker("top", self.id, "-eo", "pid,rss,args").splitlines()
        return sum(int(line.split()[1]) for line in processes if "docker-init" not in line) * 1024 / 1e6

    def memory_mib(self) -> float:
        """What its memory limit is charged with now, as Docker counts it."""
        used = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", self.id).split(" / ")[0]
        return float(used.removesuffix("MiB"))


@contextmanager
def running(image: str, *flags: str, command: Sequence[str] = ()) -> Iterator[Container]:
    """Run an image in the background, or another command in it; the container is removed at the end."""
    container = Container(docker("run", "--detach", *flags, image, *command).splitlines()[-1])
    try:
        yield container
    finally:
        docker("rm", "--force", "--volumes", container.id)
