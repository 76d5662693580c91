"""How each stack is started and spoken to."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

ROOT = Path(__file__).parent.parent
PEERS = ROOT / "benchmarks" / ".peers"
SERVER_CORE = "0"
PORT = 8765
URL = f"http://127.0.0.1:{PORT}"
VALUE = r'"median_house_value":%s*([-%d.eE+]+)'


@dataclass(frozen=True)
class Stack:
    """One way to serve the model. `value_pattern` is a Lua pattern that finds the value in an answer."""

    name: str
    command: tuple[str, ...]
    predicts: bool = True
    environment: dict[str, str] = field(default_factory=dict)
    path: str = "/predict"
    health: str = "/health"
    value_pattern: str = VALUE
    body: str = "features"


def _uvicorn(module: str) -> tuple[str, ...]:
    options = (
        "--port",
        str(PORT),
        "--no-access-log",
        "--log-level",
        "warning",
        "--loop",
        "uvloop",
        "--http",
        "httptools",
    )
    return (sys.executable, "-m", "uvicorn", f"benchmarks.stacks.{module}:app", *options)


def stacks(model: Path) -> list[Stack]:
    """All stacks that this machine can run, the baseline first and ours second."""
    common = {"MODEL_PATH": str(model)}
    found = [
        Stack("walkthrough", _uvicorn("walkthrough"), environment=common),
        Stack("ours", (sys.executable, "-m", "api"), environment=common | {"PORT": str(PORT)}),
        Stack("litestar-typed", _uvicorn("litestar_typed"), predicts=False),
        Stack("bare-asgi", _uvicorn("bare_asgi"), predicts=False),
    ]
    mlserver = PEERS / "mlserver" / "bin" / "mlserver"
    if mlserver.exists():
        found.append(
            Stack(
                "mlserver",
                (str(mlserver), "start", str(_mlserver_settings(model))),
                path="/v2/models/housing/infer",
                health="/v2/health/ready",
                value_pattern=r'"data":%s*%[%s*([-%d.eE+]+)',
                body="v2",
            )
        )
    bentoml = PEERS / "bentoml" / "bin" / "bentoml"
    if bentoml.exists():
        command = (str(bentoml), "serve", "benchmarks.stacks.bentoml_service:Housing", "--port", str(PORT))
        found.append(
            Stack("bentoml", command, environment=common, path="/predict", health="/readyz", body="wrapped-features")
        )
    return found


def _mlserver_settings(model: Path) -> Path:
    folder = model.parent / "mlserver"
    folder.mkdir(exist_ok=True)
    shutil.copy(model / "model.ubj", folder / "model.ubj")
    ports = {"http_port": PORT, "grpc_port": PORT + 1, "metrics_port": PORT + 2}
    (folder / "settings.json").write_text(json.dumps({**ports, "parallel_workers": 0, "debug": False}))
    implementation = {"implementation": "mlserver_xgboost.XGBoostModel", "parameters": {"uri": "./model.ubj"}}
    (folder / "model-settings.json").write_text(json.dumps({"name": "housing", **implementation}))
    return folder


@dataclass(frozen=True)
class Running:
    """A started stack."""

    process: psutil.Process
    ready_seconds: float

    def resident_mb(self) -> float:
        """Resident memory of the process and its children."""
        return float(sum(process.memory_info().rss for process in self._tree())) / 1e6

    def cpu_seconds(self) -> float:
        """Processor time of the process and its children so far."""
        return float(sum(sum(process.cpu_times()[:2]) for process in self._tree()))

    def _tree(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def running(stack: Stack, log: Path) -> Iterator[Running]:
    """Start a stack on its core and wait until its health endpoint answers; stop it afterwards."""
    started = time.perf_counter()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **stack.environment}
    with log.open("ab") as stream:
        process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, *stack.command], cwd=ROOT, env=environment, stdout=stream, stderr=stream
        )
    try:
        _wait(process, stack, log)
        yield Running(psutil.Process(process.pid), time.perf_counter() - started)
    finally:
        tree = [*psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else []
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
        for child in tree:
            if child.is_running():
                child.kill()


def _wait(process: subprocess.Popen[bytes], stack: Stack, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(URL + stack.health, timeout=1) as response:
                if response.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.01)
    raise RuntimeError(f"{stack.name} did not start; see {log}")
