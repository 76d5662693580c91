"""`make soak`: minutes of mixed load, good and bad; fails if the service grows in memory or open files."""

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import click
import httpx

from api.store.manifest import LATEST
from tests.california import EXAMPLE, MODELS_PREFIX

ROOT = Path(__file__).parent.parent
URL = "http://127.0.0.1:8042"
CALLERS = 12
WARM_UP = 0.25
"""Part of the run that does not count: pools, caches and the allocator's arenas fill."""
GROWTH_MB = 8.0

BATCH = json.dumps({"rows": [EXAMPLE] * 2_000}).encode()
HOPELESS = json.dumps({"rows": [{"Ocean": 1}] * 5_000}).encode()
JSON = {"content-type": "application/json"}


class Process:
    """The service, seen from outside."""

    def __init__(self, model: Path) -> None:
        environment = {**os.environ, "MODEL_PATH": str(model), "PORT": URL.rpartition(":")[2], "METRICS_PORT": "0"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "api"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
        )
        self.proc = Path(f"/proc/{self.process.pid}")

    def await_ready(self) -> None:
        """Wait until it is ready, for a minute at most."""
        for _ in range(600):
            try:
                if httpx.get(f"{URL}/ready").status_code == 200:
                    return
            except httpx.ConnectError:
                time.sleep(0.1)
        raise click.ClickException("the service did not become ready")

    def resident_mb(self) -> float:
        """Memory that it takes."""
        return int((self.proc / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def open_files(self) -> int:
        """Files and sockets that it has open."""
        return len(list((self.proc / "fd").iterdir()))


async def call(client: httpx.AsyncClient, draw: random.Random) -> str:
    """One request of the mix; returns how it was answered."""
    kind = draw.random()
    if kind < 0.7:
        response = await client.post("/predict", json=EXAMPLE)
    elif kind < 0.8:
        response = await client.post("/predict/batch", content=BATCH, headers=JSON)
    elif kind < 0.85:
        response = await client.post("/predict/batch", content=HOPELESS, headers=JSON)
    elif kind < 0.9:
        response = await client.get(f"/.git/{draw.getrandbits(64):x}")
    elif kind < 0.95:
        response = await client.get("/ready")
    else:
        return await leave(draw)
    return str(response.status_code)


async def leave(draw: random.Random) -> str:
    """A client that goes away somewhere in its request, or before its answer."""
    _, writer = await asyncio.open_connection("127.0.0.1", int(URL.rpartition(":")[2]))
    head = f"POST /predict/batch HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BATCH)}\r\n\r\n"
    request = head.encode() + BATCH
    writer.write(request[: draw.randrange(1, len(request) + 1)])
    await writer.drain()
    writer.transport.abort()
    return "left"


async def load(process: Process, seconds: float) -> tuple[list[float], Counter[str]]:
    """Keep the callers busy; returns the memory over time, and what the answers were."""
    end = time.monotonic() + seconds
    memory: list[float] = []
    answers: Counter[str] = Counter()

    async def caller(seed: int) -> None:
        draw = random.Random(seed)
        async with httpx.AsyncClient(base_url=URL, timeout=30) as client:
            while time.monotonic() < end:
                answers[await call(client, draw)] += 1

    async def watch() -> None:
        while time.monotonic() < end:
            await asyncio.sleep(seconds / 40)
            memory.append(process.resident_mb())
            click.echo(
                f"{memory[-1]:8.1f} MB {process.open_files():5d} open files {sum(answers.values()):9,d} requests"
            )

    await asyncio.gather(watch(), *(caller(seed) for seed in range(CALLERS)))
    return memory, answers


@click.command(help=__doc__)
@click.option("--minutes", default=5.0, show_default=True)
@click.option("--model", type=click.Path(path_type=Path), default=ROOT / "models" / MODELS_PREFIX / LATEST)
def main(minutes: float, model: Path) -> None:
    """Run, and judge."""
    process = Process(model)
    try:
        process.await_ready()
        files_before = process.open_files()
        memory, answers = asyncio.run(load(process, minutes * 60))
        counted = memory[int(len(memory) * WARM_UP) :]
        quarter = len(counted) // 4
        growth = statistics.median(counted[-quarter:]) - statistics.median(counted[:quarter])
        httpx.get(f"{URL}/health")
        files = process.open_files() - files_before
    finally:
        process.process.terminate()
        code = process.process.wait(60)
    click.echo(f"answers: {dict(answers)}")
    click.echo(f"memory grew by {growth:.1f} MB after the warm-up, open files by {files}; exit code {code}")
    if growth > GROWTH_MB or files > 0 or answers["500"] or code:
        raise click.ClickException("the service grows, or fails")


if __name__ == "__main__":
    main()
