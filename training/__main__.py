"""The commands: train, publish, versions, promote."""

import json
import logging
import os
import signal
import sys
from pathlib import Path

# MLflow reads these when it is imported. Nobody's training is anybody else's business; and seven tries, its default,
# keep a person with a wrong address waiting for minutes.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
# MLflow's library for git tells of a missing git in twelve lines; the run says `unknown` instead of a revision.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
# After a run MLflow would print the server's address, with the password if there is one in it.
os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from api.store.manifest import LATEST
from training import report
from training.errors import RegistryError, TrainingError
from training.publishing import releases
from training.publishing.stores import open_store

# MLflow, scikit-learn and matplotlib take seconds to import: the commands that need them import them when they run,
# so that --help and versions answer at once.

FAILED, NOT_PROMOTED, INTERRUPTED = 1, 3, 130

store_option = click.option(
    "--store",
    default="models",
    show_default=True,
    metavar="DIR|s3://BUCKET[/PREFIX]",
    help="Where published models lie.",
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Exit codes: 0 done; 1 failed, with one line that says why; 2 wrong usage;
3 done, but the version is not better than the champion and was not promoted; 130 interrupted.

\b
Environment: MLFLOW_TRACKING_URI names the tracking server (default sqlite:///mlflow.db);
AWS_* name account, region and endpoint as usual.""",
)
def main() -> None:
    """Train a model of Californian house values, publish it to a store, and choose which version is live."""


@main.command()
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV or Parquet file with the dataset's nine columns. [default: California Housing]",
)
@click.option("--candidates", type=click.IntRange(1, 192), default=20, show_default=True, help="Combinations to try.")
@click.option("--folds", type=click.IntRange(2, 20), default=5, show_default=True, help="Cross-validation folds.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=42, show_default=True, help="Same seed, same model.")
@click.option("--cluster", metavar="tcp://HOST:PORT", help="Search on a Dask cluster.")
@click.option("--force", is_flag=True, help="Become champion even when not better.")
def train(*, data: Path | None, candidates: int, folds: int, seed: int, cluster: str | None, force: bool) -> int:
    """Search, evaluate, track and register a new version.

    It becomes champion if it beats the present champion on the same held-out rows.
    """
    from training import pipeline
    from training.publishing import tracking

    with tracking.connected():
        outcome = pipeline.train(data, candidates=candidates, folds=folds, seed=seed, cluster=cluster, force=force)
    Console().print(report.trained(outcome.version, outcome.facts))
    if not outcome.decision.promoted:
        click.echo(f"Version {outcome.version} is not promoted: {outcome.decision.reason}.")
        return NOT_PROMOTED
    click.echo("Next: `python -m training publish`; `make mlflow-ui` shows the figures.")
    return 0


@main.command()
@click.option("--version", type=click.IntRange(1), metavar="N", help="The version to publish. [default: the champion]")
@store_option
@click.option("--force", is_flag=True, help="Make the version champion and latest, whatever the gate said.")
def publish(*, version: int | None, store: str, force: bool) -> int:
    """Export a registered version to the store; the champion becomes latest there, if it is not.

    The service's own tree walk is first proven to equal XGBoost, bit for bit.
    """
    from training.publishing import publication, registry, tracking

    destination = open_store(store)
    with tracking.connected():
        if version is not None:
            publication.publish(str(version), destination)
            if force:
                registry.crown(str(version))
        champion = registry.champion()
        if version is not None and str(version) != champion:
            click.echo(f"Version {version} is published but not promoted: champion is version {champion or 'none'}.")
            return NOT_PROMOTED
        live = publication.publish_champion(destination)
    click.echo(f"The champion, version {live}, is latest in {store}.")
    return 0


@main.command()
@store_option
def versions(*, store: str) -> None:
    """List the published versions, their figures and which one is live."""
    source = open_store(store)
    latest = releases.read(source, LATEST)
    Console().print(report.versions(releases.published(source), latest.model_version if latest else None))


@main.command()
@click.argument("version", type=click.IntRange(1))
@store_option
def promote(*, version: int, store: str) -> None:
    """Make a published version latest in the store, and champion: forward, or back to an old one."""
    from training.publishing import registry, tracking

    destination = open_store(store)
    described = releases.find(str(version), destination)
    problem: RegistryError | None = None
    try:
        # The champion first: broken off in between, the next publish goes on to the version that was asked for.
        with tracking.connected() as uri:
            if registry.run_of(str(version)) == described.run_id:
                registry.crown(str(version))
            else:
                click.echo(f"The registry at {uri} does not know this model, so no champion was named there.")
    except RegistryError as error:
        problem = error  # going back must not wait for a registry that does not answer
    releases.promote(str(version), destination)
    if problem:
        raise RegistryError(f"Version {version} is latest, but not champion: {problem}")


@main.command()
def ui() -> None:
    """Show runs, figures and models in MLflow's own pages, until Ctrl-C."""
    from training.publishing import tracking

    with tracking.connected() as uri:
        # The root, and the experiment's own address, open on pages for prompts and traces.
        page = f"#/experiments/{tracking.use_experiment()}/runs?workflowType=machine_learning"
    if uri.startswith("http"):
        click.echo(f"{uri.rstrip('/')}/{page}")
        return
    click.echo(f"The runs are at http://127.0.0.1:{os.environ.get('MLFLOW_PORT', 5000)}/{page}")
    environment = {**os.environ, "MLFLOW_BACKEND_STORE_URI": tracking.address()}
    os.execve(sys.executable, [sys.executable, "-m", "mlflow", "ui"], environment)  # noqa: S606


@main.command()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The service to ask.")
def sample(*, url: str) -> None:
    """Ask a running service for a held-out house value, and print it beside the true one."""
    from training.sample import ask

    asked = ask(url)
    click.echo(f"""
  A block group that the model has never seen, from model version {asked.model_version}:
      predicted  {asked.predicted:.3f}   (units of 100,000 USD)
      true       {asked.true:.3f}

  Try it yourself     {url}/
  API documentation   {url}/docs
  From a shell        curl {url}/predict -H 'Content-Type: application/json' -d '{json.dumps(asked.features)}'
  Figures and runs    make mlflow-ui
  Next                the README's section "Deploy": the same model on AWS
  Stop with Ctrl-C.
""")


def run(arguments: list[str] | None = None) -> int:
    """Run one command; whatever a user can cause ends in an exit code and one line on stderr."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("training").setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return main(arguments, prog_name="python -m training", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted; nothing was left half done.", err=True)
        return INTERRUPTED
    except (TrainingError, BotoCoreError, ClientError, OSError) as error:
        click.echo(f"Error: {' '.join(str(error).split())}", err=True)
        return FAILED


def _terminate(*_: object) -> None:
    """Let SIGTERM unwind like Ctrl-C, so that MLflow's run is closed and temporary files go."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(run())
