"""A table in parts, scored in one process: rows a second of processor time and memory, beside XGBoost and the API."""

import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import click
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost

from benchmarks import rows
from benchmarks.batch import post
from benchmarks.stack import PORT, SERVER_CORE, running, stacks
from tests.california import FEATURES, TABLE
from training.rows.data import load

HERE = Path(__file__).parent
ROWS_IN_PART = 500_000
IN_REQUEST = 10_000


def write(folder: Path, parts: int) -> None:
    """Parts of rows that are drawn from the table's, with a key."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    table = load(TABLE).table[list(FEATURES)].to_numpy()
    for part in range(parts):
        chosen = table[np.random.default_rng(part).integers(0, len(table), ROWS_IN_PART)]
        columns = {"id": np.arange(part * ROWS_IN_PART, (part + 1) * ROWS_IN_PART)}
        columns |= {name: chosen[:, place] for place, name in enumerate(FEATURES)}
        pq.write_table(pa.table(columns), folder / f"part-{part:03}.parquet")


def ours(model: Path, data: Path) -> tuple[float, float]:
    """Processor seconds and megabytes of `python -m api.scoring` in one process, its start included."""
    out = data.with_name("scores")
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "api.scoring", str(model), "--data", str(data), "--out", str(out)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(
        ["taskset", "-c", SERVER_CORE, *command, "--processes", "1"], cwd=HERE.parent, stdout=subprocess.DEVNULL
    )
    watched, most = psutil.Process(process.pid), 0
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            most = max(most, watched.memory_info().rss)
        time.sleep(0.05)
    if process.returncode:
        raise click.ClickException(f"{' '.join(command)} ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, most / 1e6


def xgboosts_own(booster: xgboost.Booster, data: Path) -> float:
    """Processor seconds that XGBoost takes in one thread, files read and written by Arrow as ours are."""
    out = data.with_name("of-xgboost.parquet")
    schema = pa.schema([("id", pa.int64()), ("prediction", pa.float32())])
    started = time.process_time()
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for file in sorted(data.glob("*.parquet")):
            for batch in pq.ParquetFile(file).iter_batches(2**16, use_threads=False):
                array = np.stack([batch.column(name).to_numpy() for name in FEATURES], axis=1)
                predicted = booster.inplace_predict(array, validate_features=False)
                writer.write_batch(pa.record_batch([batch.column("id"), pa.array(predicted)], schema=schema))
    return time.process_time() - started


def batch_endpoint(connection: HTTPConnection, service: psutil.Process, data: Path) -> tuple[int, float]:
    """Rows, and the processor seconds that the service takes for them."""
    table = pq.read_table(next(data.glob("*.parquet")), columns=list(FEATURES)).slice(0, 5 * IN_REQUEST)
    bodies = [
        json.dumps({"rows": table.slice(start, IN_REQUEST).to_pylist()}).encode()
        for start in range(0, len(table), IN_REQUEST)
    ]
    before = service.cpu_times()
    for body in bodies:
        post(connection, "/predict/batch", body)
    after = service.cpu_times()
    return len(table), after.user + after.system - before.user - before.system


@click.command()
@click.option("--parts", default=2, show_default=True, help=f"Of {ROWS_IN_PART:,} rows each.")
@click.option("--repeats", default=3, show_default=True)
def main(*, parts: int, repeats: int) -> None:
    """Measure all three in turn."""
    work = HERE / "results"
    work.mkdir(exist_ok=True)
    model, data = rows.train(work), work / "table"
    write(data, parts)
    count = parts * ROWS_IN_PART
    booster = xgboost.Booster(model_file=model / "model.ubj")
    booster.set_param({"nthread": 1})
    found: dict[str, list[float]] = {"score": [], "XGBoost": [], "batch endpoint": []}
    memory = 0.0
    served = next(stack for stack in stacks(model) if stack.name == "ours")
    for _ in range(repeats):
        seconds, megabytes = ours(model, data)
        memory = max(memory, megabytes)
        found["score"].append(count / seconds)
        found["XGBoost"].append(count / on_core(lambda: xgboosts_own(booster, data)))
        with running(served, work / "scoring.log") as service:
            asked, seconds = batch_endpoint(HTTPConnection("127.0.0.1", PORT, timeout=60), service.process, data)
        found["batch endpoint"].append(asked / seconds)
    for name, paces in found.items():
        pace = statistics.median(paces)
        click.echo(f"{name}: {pace:,.0f} rows/s a core, {pace / statistics.median(found['XGBoost']):.2f} of XGBoost's")
    click.echo(f"score: {memory:.0f} MB at most")


def on_core(work: Callable[[], float]) -> float:
    """What it returns, when it is done on the one core that is measured."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(SERVER_CORE)})
    try:
        return work()
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    main()
