"""Twenty replacements of tasks behind a real load balancer, under load all the while, without one failed request."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.california import EXAMPLE
from tests.running import Service, free_port, start_service

TASKS = 2
DEPLOYMENTS = 10
CALLERS = 4

# Connections to the tasks are kept, as an ALB keeps them; a request that fails is not tried again elsewhere.
CONFIGURATION = """
daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log {home}/error.log;
{user}
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  upstream tasks {{
    {servers}
    keepalive 16;
  }}
  server {{
    listen 127.0.0.1:{port};
    keepalive_timeout 0;
    location / {{
      proxy_pass http://tasks;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_next_upstream off;
    }}
  }}
}}
"""


class Balancer:
    """nginx, with targets that can be registered and deregistered as those of an ALB."""

    def __init__(self, program: str, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.targets: list[Service] = []
        self.configuration = home / "nginx.conf"
        self.command = [program, "-p", str(home), "-c", str(self.configuration), "-e", str(home / "error.log")]
        self.process: subprocess.Popen[bytes] | None = None

    def register(self, targets: list[Service]) -> None:
        """Send new requests to these tasks only; those that have begun end where they began."""
        servers = " ".join(f"server {target.url.removeprefix('http://')} max_fails=0;" for target in targets)
        user = "user root;" if os.geteuid() == 0 else ""
        self.configuration.write_text(CONFIGURATION.format(home=self.home, user=user, servers=servers, port=self.port))
        if self.process is None:
            self.process = subprocess.Popen(self.command)
            self._await_start()
        else:
            self.process.send_signal(signal.SIGHUP)

    def _await_start(self) -> None:
        for _ in range(500):
            with socket.socket() as connection:
                if connection.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError((self.home / "error.log").read_text())

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)


@pytest.fixture
def balancer(tmp_path: Path) -> Iterator[Balancer]:
    """A load balancer, where Debian's is installed."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    running = Balancer(program, tmp_path)
    yield running
    running.stop()


class Load:
    """Callers that never pause for long, and what became of their requests."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answered = 0
        self.failed: list[str] = []
        self.over = False

    async def run(self) -> None:
        """Call until it is over."""
        async with httpx.AsyncClient(base_url=self.url, timeout=20) as client:
            await asyncio.gather(*(self._call(client) for _ in range(CALLERS)))

    async def _call(self, client: httpx.AsyncClient) -> None:
        while not self.over:
            try:
                response = await client.post("/predict", json=EXAMPLE)
            except httpx.HTTPError as error:
                self.failed.append(repr(error))
                continue
            if response.status_code == 200:
                self.answered += 1
            else:
                self.failed.append(f"{response.status_code} {response.text}")
            await asyncio.sleep(0.01)


class Deployments:
    """Starts tasks, and replaces them as ECS does: new ones ready, old ones deregistered, SIGTERM."""

    def __init__(self, balancer: Balancer, model_directory: Path, home: Path) -> None:
        self.balancer = balancer
        self.model_directory = model_directory
        self.home = home
        self.started: list[Service] = []

    def start(self, number: int) -> Service:
        """Start one task and wait until it is ready."""
        log = self.home / f"task-{number}.log"
        task = start_service(log, MODEL_PATH=str(self.model_directory), SHUTDOWN_SECONDS="10")
        self.started.append(task)
        assert httpx.get(f"{task.url}/ready").status_code == 200
        return task

    def start_all(self, deployment: int) -> list[Service]:
        """Start a whole set of tasks."""
        with ThreadPoolExecutor(TASKS) as pool:
            return list(pool.map(self.start, range(deployment * TASKS, (deployment + 1) * TASKS)))

    def replace(self, deployment: int, old: list[Service]) -> list[Service]:
        """One deployment; in every other one SIGTERM comes before the balancer knows, as ECS does not promise order."""
        new = self.start_all(deployment)
        if deployment % 2:
            self.balancer.register(new)
        for task in old:
            task.process.terminate()
        if not deployment % 2:
            self.balancer.register(new)
        return new


def test_twenty_replacements_lose_nothing(balancer: Balancer, model_directory: Path, tmp_path: Path) -> None:
    """All callers are answered while every task is replaced ten times over, and every task ends with 0."""
    deployments = Deployments(balancer, model_directory, tmp_path)
    load = Load(balancer.url)

    async def deploy() -> None:
        tasks = await asyncio.to_thread(deployments.start_all, 0)
        balancer.register(tasks)
        calling = asyncio.create_task(load.run())
        for deployment in range(1, DEPLOYMENTS + 1):
            tasks = await asyncio.to_thread(deployments.replace, deployment, tasks)
        replaced = deployments.started[:-TASKS]
        assert [await asyncio.to_thread(task.process.wait, 20) for task in replaced] == [0] * len(replaced)
        load.over = True
        await calling

    try:
        asyncio.run(deploy())
    finally:
        for task in deployments.started:
            task.process.kill()
            task.process.wait(10)
    assert load.failed == []
    assert load.answered > 100
    assert len(deployments.started) == 20 + TASKS
