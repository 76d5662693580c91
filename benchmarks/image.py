"""`make image-report`: what the image adds to its base, how soon its task is ready, and how much memory it takes."""

import json
import statistics
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from stack.tasks.container import PORT
from tests.container import engine, task
from tests.running import await_ok

CPU = 1024
STARTS = 9
REQUESTS = 3_000
PACKAGES = "import pathlib, json; print(json.dumps({p.name: sum(f.stat().st_size for f in p.rglob('*') if f.is_file()) \
for p in pathlib.Path('/opt/venv/lib').glob('python3*/site-packages/*') if p.is_dir()}))"


@click.command()
@click.argument("image")
@click.argument("base")
@click.argument("store", type=click.Path(path_type=Path))
def main(*, image: str, base: str, store: Path) -> None:
    """Report on IMAGE, built on BASE, run as the stack's task with the latest model of STORE in emulated S3."""
    if not engine.answers():
        raise click.ClickException(engine.NO_ENGINE)
    _report_size(image, base)
    with task.latest_in_s3(store, image) as (definition, endpoint):
        _report_start(definition, endpoint)
        _report_memory(definition, endpoint)


def _report_size(image: str, base: str) -> None:
    ours, theirs = (json.loads(engine.docker("inspect", tag))[0]["Size"] for tag in (image, base))
    click.echo(
        f"{image}: {ours / 1e6:.0f} MB, of which {base} {theirs / 1e6:.0f} MB and ours {(ours - theirs) / 1e6:.0f}"
    )
    listing = engine.docker("run", "--rm", "--network", "none", image, "python", "-c", PACKAGES)
    sizes: dict[str, int] = json.loads(listing)
    for name in sorted(sizes, key=lambda name: -sizes[name])[:10]:
        click.echo(f"  {sizes[name] / 1e6:6.1f} MB  {name}")


def _report_start(definition: dict[str, Any], endpoint: str) -> None:
    from_command, from_start = [], []
    for _ in range(STARTS):
        commanded = time.time()
        with task.run(definition, endpoint=endpoint, cpu=CPU) as container:
            _wait_until_ready(container)
            ready = time.time()
            from_command.append(ready - commanded)
            from_start.append(ready - datetime.fromisoformat(container.state()["StartedAt"]).timestamp())
    click.echo(f"first 200 on /ready, on one core, the model in emulated S3: median (range) of {STARTS} starts")
    for seconds, since in ((from_start, "the container's start"), (from_command, "`docker run`")):
        click.echo(f"  {statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}) after {since}")


def _report_memory(definition: dict[str, Any], endpoint: str) -> None:
    with task.run(definition, endpoint=endpoint, cpu=CPU) as container:
        _wait_until_ready(container)
        task.predictions(REQUESTS)
        click.echo(
            f"memory after {REQUESTS:,} predictions: {container.resident_mb():.0f} MB resident; "
            f"{container.memory_mib():.0f} of the task's {task.MEMORY_MIB} MiB charged"
        )


def _wait_until_ready(container: engine.Container) -> None:
    try:
        await_ok(f"http://127.0.0.1:{PORT}/ready")
    except TimeoutError as error:
        raise click.ClickException(f"{error}\n{container.logs()}") from error


if __name__ == "__main__":
    main()
