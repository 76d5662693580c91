"""`python -m benchmarks.bulk`: a made-up table of 5 million rows, trained in parts here and on a small Dask cluster."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import distributed
import joblib
import numpy as np
import pandas as pd

from training.commands.options import NOT_PROMOTED

COLUMNS = 30
PART_ROWS = 250_000
KINDS = ("a", "b", "c", "d", "e")
ROOT = Path(__file__).parents[1]


def part(number: int, rows: int) -> pd.DataFrame:
    """Rows of 26 numbers, a whole number that may be missing, yes or no, two categories, and what follows from them."""
    random = np.random.default_rng(number)
    numbers = random.normal(size=(rows, 26))
    table = pd.DataFrame(numbers, columns=[f"number_{place}" for place in range(26)])
    table["whole"] = np.where(random.random(rows) < 0.1, np.nan, random.integers(0, 100, rows))
    table["yes"] = random.random(rows) < 0.3
    codes = random.integers(0, len(KINDS), (2, rows))
    table["kind"], table["other"] = (np.array(KINDS)[each] for each in codes)
    table["target"] = (
        2 * numbers[:, 0] + np.sin(3 * numbers[:, 1]) + numbers[:, 2] * numbers[:, 3] + np.abs(numbers[:, 4])
        + 0.5 * codes[0] + table["yes"] * numbers[:, 5] + 0.02 * table["whole"].fillna(0) + random.normal(size=rows)
    )  # fmt: skip
    return table


def description() -> str:
    """Of the table, as a file in `tables/` has it."""
    lines = ['name = "bulk"', "[target]", 'column = "target"']
    lines += ["[search.space]", "n_estimators = [100]", "max_depth = [6, 8]", "learning_rate = [0.1, 0.3]"]
    for place in range(26):
        lines += [f"[features.number_{place}]"]
    lines += ["[features.whole]", 'kind = "integer"', "missing = true"]
    lines += ["[features.yes]", 'kind = "boolean"']
    for name in ("kind", "other"):
        lines += [f"[features.{name}]", 'kind = "category"', f"categories = {list(KINDS)}"]
    return "\n".join(lines) + "\n"


def write(folder: Path, rows: int) -> Path:
    """Write the table's parts, one after the other, and its description; returns the description's file."""
    (folder / "rows").mkdir()
    for number, first in enumerate(range(0, rows, PART_ROWS)):
        part(number, min(PART_ROWS, rows - first)).to_parquet(folder / "rows" / f"part-{number:04d}.parquet")
    file = folder / "bulk.toml"
    file.write_text(description())
    return file


def train(folder: Path, *arguments: str) -> None:
    """Train in a process of its own, as a user does, and print what it took.

    Raises:
        ClickException: it failed.
    """
    command = [sys.executable, "-m", "training", "train", "--table", "bulk.toml", "--data", "rows", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    click.echo(
        f"{' '.join(arguments)}: {time.monotonic() - started:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of "
        f"processor time, at most {used.ru_maxrss / 1e6:.2f} GB in memory"
    )
    if process.returncode not in (0, NOT_PROMOTED):
        raise click.ClickException(f"training ended with exit code {process.returncode}")


def largest() -> float:
    """The most memory that this process had, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


@click.command()
@click.option("--rows", default=5_000_000, show_default=True)
@click.option("--candidates", default=4, show_default=True)
@click.option(
    "--worker-memory", default="1GB", show_default=True, help="The limit of each of the cluster's two workers."
)
def main(rows: int, candidates: int, worker_memory: str) -> None:
    """Write the table, train on it here, then on a cluster, and print time and memory of each."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, rows)
        stored = sum(file.stat().st_size for file in (folder / "rows").iterdir())
        values = rows * (COLUMNS + 1) * 8
        click.echo(
            f"{rows:,} rows of {COLUMNS} columns: {values / 1e9:.2f} GB of numbers, {stored / 1e9:.2f} GB of Parquet; "
            f"{joblib.cpu_count()} cores"
        )
        train(folder, "--candidates", str(candidates))
        local_cluster: Any = distributed.LocalCluster
        with (
            local_cluster(
                n_workers=2, threads_per_worker=1, memory_limit=worker_memory, dashboard_address=":0"
            ) as cluster,
            cluster.get_client() as client,
        ):
            train(folder, "--candidates", str(candidates), "--cluster", cluster.scheduler_address)
            shown = ", ".join(f"{found:.2f} GB" for found in client.run(largest).values())
            click.echo(f"The workers, limited to {worker_memory} each, had at most {shown} in memory")


if __name__ == "__main__":
    main()
