"""What a million predictions cost on Fargate, from the measured throughput."""

import json
from pathlib import Path

import click

from benchmarks.serving import RESULTS

VCPU_HOUR, GB_HOUR = 0.04048, 0.004445
"""US dollars for Fargate on Linux/x86 in us-east-1, on demand, as of 2025 (https://aws.amazon.com/fargate/pricing/)."""

TASKS = ((0.25, 0.5), (0.5, 1.0), (1.0, 2.0))
"""vCPUs and the smallest memory in GB that holds every stack measured; a task gets its share of the core measured."""


def dollars_per_million(requests_per_second: float, vcpu: float, memory: float) -> float:
    """Dollars for a million single-row predictions at full load."""
    hourly = vcpu * VCPU_HOUR + memory * GB_HOUR
    return hourly / (requests_per_second * vcpu * 3600) * 1e6


@click.command()
@click.option("--results", default=RESULTS, type=click.Path(path_type=Path), show_default=True)
def main(*, results: Path) -> None:
    """Print the README's cost table (Markdown)."""
    stacks = json.loads(results.read_text())["stacks"]
    rates = {name: stacks[name]["load"]["64"]["rps"] for name in ("ours", "walkthrough")}
    click.echo("| task | this service | the usual tutorial |\n|---|---|---|")
    for vcpu, memory in TASKS:
        ours, theirs = (dollars_per_million(rates[name], vcpu, memory) for name in ("ours", "walkthrough"))
        click.echo(f"| {vcpu:g} vCPU, {memory:g} GB | ${ours:.4f} | ${theirs:.3f} |")


if __name__ == "__main__":
    main()
