"""`make bench`: throughput, latency, time to ready and memory of every stack, in alternating rounds."""

import json
import os
import platform
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from benchmarks import rows
from benchmarks.stack import URL, Running, Stack, running, stacks

CONNECTIONS = (1, 16, 64)
LOAD_CORE = "1"
HERE = Path(__file__).parent
RESULTS = HERE / "results.json"


def measure(stack: Stack, started: Running, rows_file: Path, connections: int, seconds: int) -> dict[str, float]:
    """Load one running stack with wrk; every answer is checked."""
    environment = {
        **os.environ,
        "ROWS_FILE": str(rows_file),
        "TARGET_PATH": stack.path,
        "VALUE_PATTERN": stack.value_pattern,
    }
    command = ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    before = started.cpu_seconds()
    done = subprocess.run(
        [*command, "-s", str(HERE / "load.lua"), URL], env=environment, capture_output=True, text=True, check=True
    )
    spent = started.cpu_seconds() - before
    result: dict[str, float] = json.loads(done.stdout.split("RESULT ")[1])
    if result["wrong"] or result["socket_errors"]:
        raise click.ClickException(f"{stack.name} answered wrongly at {connections} connections: {result}")
    return {
        "rps": result["requests"] / result["seconds"],
        "cpu_us": spent / result["requests"] * 1e6,
        "p50_us": result["p50_us"],
        "p99_us": result["p99_us"],
    }


def one_round(stack: Stack, rows_file: Path, seconds: int, log: Path) -> dict[str, Any]:
    """Start a stack, warm it up, measure it at each number of connections, stop it."""
    with running(stack, log) as started:
        measure(stack, started, rows_file, 4, 1)
        figures: dict[str, Any] = {str(n): measure(stack, started, rows_file, n, seconds) for n in CONNECTIONS}
        return {"ready_seconds": started.ready_seconds, "resident_mb": started.resident_mb(), "load": figures}


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """The median over the rounds, figure by figure."""
    load = {
        str(n): {key: statistics.median(r["load"][str(n)][key] for r in rounds) for key in rounds[0]["load"][str(n)]}
        for n in CONNECTIONS
    }
    plain = {key: statistics.median(r[key] for r in rounds) for key in ("ready_seconds", "resident_mb")}
    return {**plain, "load": load}


def report(results: dict[str, Any]) -> str:
    """The table that is printed: medians, the ratio to the walkthrough's, and processor time a request."""
    lines = [
        f"{'stack':<16}{'ready s':>8}{'MB':>6}"
        + "".join(f"{f'req/s, {n}':>13}{'x':>7}{'cpu us':>8}{'p50 ms':>9}{'p99 ms':>9}" for n in CONNECTIONS)
    ]
    base = results["stacks"]["walkthrough"]
    for name, figures in results["stacks"].items():
        line = f"{name:<16}{figures['ready_seconds']:>8.2f}{figures['resident_mb']:>6.0f}"
        for n in map(str, CONNECTIONS):
            load = figures["load"][n]
            ratio = load["rps"] / base["load"][n]["rps"]
            line += f"{load['rps']:>13,.0f}{ratio:>7.1f}{load['cpu_us']:>8,.0f}"
            line += f"{load['p50_us'] / 1e3:>9.2f}{load['p99_us'] / 1e3:>9.2f}"
        lines.append(line)
    if {"ours", "bare-asgi"} <= results["stacks"].keys():
        ours, bare = (results["stacks"][name]["load"] for name in ("ours", "bare-asgi"))
        times = (f"{ours[n]['cpu_us'] / bare[n]['cpu_us']:.2f} at {n}" for n in map(str, CONNECTIONS))
        lines.append(f"processor time a request, as a multiple of the bare callable's: {', '.join(times)} connections")
    return "\n".join(lines)


@click.command()
@click.option("--rounds", default=3, show_default=True, help="How often each stack is started and measured.")
@click.option("--seconds", default=5, show_default=True, help="How long each load lasts.")
@click.option("--only", multiple=True, help="Stacks to measure besides the walkthrough; all by default.")
@click.option("--results", default=RESULTS, type=click.Path(path_type=Path), show_default=True)
def main(*, rounds: int, seconds: int, only: tuple[str, ...], results: Path) -> None:
    """Measure all stacks on one core, with the load from another."""
    work = HERE / "results"
    work.mkdir(exist_ok=True)
    model = rows.train(work)
    chosen = [s for s in stacks(model) if not only or s.name in only or s.name == "walkthrough"]
    files = {stack.name: rows.write(stack, model) for stack in chosen}
    measured: dict[str, list[dict[str, Any]]] = {stack.name: [] for stack in chosen}
    for number in range(1, rounds + 1):
        for stack in chosen:
            click.echo(f"round {number} of {rounds}: {stack.name}", err=True)
            measured[stack.name].append(one_round(stack, files[stack.name], seconds, work / f"{stack.name}.log"))
    outcome = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, server on one core, Python {platform.python_version()}",
        "model": f"{rows.TREES} trees of depth {rows.DEPTH}",
        "rounds": rounds,
        "seconds": seconds,
        "stacks": {name: summary(figures) for name, figures in measured.items()},
    }
    results.write_text(json.dumps(outcome, indent=2) + "\n")
    click.echo(report(outcome))


if __name__ == "__main__":
    sys.exit(main())
