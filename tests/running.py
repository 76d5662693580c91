"""The service as a real process."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import httpx

ROOT = Path(__file__).parent.parent


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def await_ok(url: str, seconds: float = 60) -> None:
    """Ask until it answers 200.

    Raises:
        TimeoutError: it did not, for so long.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urlopen(url, timeout=5) as response:
                if response.status == 200:
                    return
        except OSError:
            time.sleep(0.01)
    raise TimeoutError(f"{url} did not answer 200 within {seconds:g} s")


@dataclass
class Service:
    """A running service."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """Its log so far, decoded."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def lines_until_now(self) -> list[dict[str, Any]]:
        """Its log up to a request that is made for this, whose line comes after all that was logged before."""
        with self.client() as client:
            identity = client.get("/nowhere").headers["x-request-id"]
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            lines = [json.loads(line) for line in self.log.read_text().split("\n")[:-1]]
            if any(line.get("request_id") == identity for line in lines):
                return lines
            time.sleep(0.01)
        raise TimeoutError(f"{self.url} has not logged request {identity}")

    def client(self, **options: Any) -> httpx.Client:
        """An HTTP client for it."""
        return httpx.Client(base_url=self.url, timeout=30, **options)

    def stop(self) -> int:
        """End it with SIGTERM; returns its exit code."""
        self.process.terminate()
        return self.process.wait(30)


Serve = Callable[..., Service]


def start_service(log: Path, *, arguments: Sequence[str] = ("-m", "api"), **environment: str) -> Service:
    """Start `python -m api` on a free port; returns when it listens, or when it has ended.

    Other `arguments` for Python run the same service with a bound of its made smaller.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MODEL_")}
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**inherited, "PORT": "0", **environment},
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if "serving at " in line:
                url = json.loads(line)["message"].split("serving at ")[1].split(": ")[0].split(" and ")[0]
                return Service(process, url, log)
        time.sleep(0.02)
    if process.poll() is None:
        process.kill()
    return Service(process, "", log)
