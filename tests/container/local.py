"""`make ecs-local`: the stack's own task, run in Docker with a model in emulated S3, and what it did."""

import time
from pathlib import Path
from typing import Any

import click

from stack.tasks.container import canonical_json
from tests.container import engine, task

CPU = 256
REQUESTS = 3_000


@click.command()
@click.argument("image")
@click.argument("store", type=click.Path(path_type=Path))
def main(*, image: str, store: Path) -> None:
    """Run the task of IMAGE once, with the latest model of the local store STORE."""
    if not engine.answers():
        raise click.ClickException(engine.NO_ENGINE)
    with task.latest_in_s3(store, image) as (definition, endpoint):
        _run(definition, endpoint)


def _run(definition: dict[str, Any], endpoint: str) -> None:
    click.echo(f"Container definition: {canonical_json([definition])}")
    with task.run(definition, endpoint=endpoint, cpu=CPU) as container:
        state = container.wait(definition["healthCheck"]["startPeriod"])
        if not state["Running"]:
            raise click.ClickException(f"the task ended:\n{container.logs()}")
        click.echo(f"Healthy by its own check, at {CPU / 1024:g} vCPU and {task.MEMORY_MIB} MiB.")
        click.echo(f"{REQUESTS:,} predictions: {task.predictions(REQUESTS)}.")
        click.echo(f"Memory: {container.resident_mb():.0f} MB resident, {container.memory_mib():.0f} MiB of the limit.")
        started = time.monotonic()
        engine.docker("stop", container.id)
        code = container.state()["ExitCode"]
        click.echo(
            f"SIGTERM: exit code {code} after {time.monotonic() - started:.1f} of {definition['stopTimeout']} s."
        )


if __name__ == "__main__":
    main()
