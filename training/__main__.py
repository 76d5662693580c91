"""The commands: train, publish, versions, promote, sample."""

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

NOT_INSTALLED = f"is not installed for {sys.executable}: run `make install`, then `source .venv/bin/activate`"

try:
    import click
    from botocore.exceptions import BotoCoreError, ClientError
    from rich.console import Console

    from api.store.manifest import LATEST
    from training import report
    from training.errors import RegistryError, TrainingError
    from training.publishing import releases
    from training.publishing.stores import open_store
except ModuleNotFoundError as missing:
    sys.exit(f"Error: {missing.name} {NOT_INSTALLED}.")

# MLflow, scikit-learn and matplotlib take seconds to import: the commands that need them import them when they run,
# so that --help and versions answer at once.

FAILED, NOT_PROMOTED, INTERRUPTED = 1, 3, 130

log = logging.getLogger("training")

store_option = click.option(
    "--store", default="models", show_default=True, metavar="DIR|s3://BUCKET", help="Where published models lie."
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
@click.option("--once", is_flag=True, help="Train nothing where there is a champion already.")
@click.option("--publish", "store", metavar="DIR|s3://BUCKET", help="Then publish the champion to this store.")
@click.pass_context
def train(
    context: click.Context,
    *,
    data: Path | None,
    candidates: int,
    folds: int,
    seed: int,
    cluster: str | None,
    force: bool,
    once: bool,
    store: str | None,
) -> int:
    """Search, evaluate, track and register a new version.

    It becomes champion if it beats the present champion on the same held-out rows, by more than chance; a first version
    has to beat linear regression.
    """
    if store:
        releases.read(open_store(store), LATEST)  # a store that cannot be used is found now, not after the search
    champion = _champion() if once else None
    if champion:
        click.echo(f"Version {champion} is champion already: nothing is trained.")
        code = 0
    else:
        code = _train(data, candidates=candidates, folds=folds, seed=seed, cluster=cluster, force=force)
    if store:
        context.invoke(publish, version=None, store=store, force=False)
    elif code == 0:
        click.echo("Next: `python -m training publish`; `make mlflow-ui` shows the figures.")
    return code


def _champion() -> str | None:
    from training.publishing import registry, tracking

    with tracking.connected():
        return registry.champion()


def _train(data: Path | None, *, candidates: int, folds: int, seed: int, cluster: str | None, force: bool) -> int:
    log.info("Loading %s", data or "California Housing")
    from training.tables.data import load

    dataset = load(data)
    log.info("Loading XGBoost and MLflow: a few seconds")
    from training import pipeline
    from training.publishing import tracking

    with tracking.connected():
        outcome = pipeline.train(dataset, candidates=candidates, folds=folds, seed=seed, cluster=cluster, force=force)
    promoted = outcome.decision.promoted
    Console().print(report.trained(outcome.version, outcome.facts))
    click.echo(f"Version {outcome.version} is {'champion' if promoted else 'not promoted'}: {outcome.decision.reason}.")
    return 0 if promoted else NOT_PROMOTED


@main.command()
@click.option("--version", type=click.IntRange(1), metavar="N", help="The version to publish. [default: the champion]")
@store_option
@click.option("--force", is_flag=True, help="Make the version champion and latest, whatever the gate said.")
def publish(*, version: int | None, store: str, force: bool) -> int:
    """Export a registered version to the store; the champion becomes latest there.

    The service's own tree walk is first proven to equal XGBoost, bit for bit.
    """
    from training.publishing import publication, registry, tracking

    destination = open_store(store)
    with tracking.connected():
        champion = registry.champion()
        chosen = str(version) if version else champion
        if chosen is None:
            raise RegistryError(
                "No version is champion: run `python -m training train`, or choose one with --version N --force."
            )
        publication.publish(chosen, destination)
        if force:
            registry.crown(chosen)
    if chosen != champion and not force:
        click.echo(f"Version {chosen} is published but not promoted: champion is version {champion or 'none'}.")
        return NOT_PROMOTED
    releases.promote(chosen, destination)
    return 0


@main.command()
@store_option
def versions(*, store: str) -> None:
    """List the published versions, their figures and which one is live."""
    source = open_store(store)
    latest = releases.read(source, LATEST)
    published = releases.published(source)
    if not published:
        click.echo(f"Nothing is published in {store}: `python -m training publish --store {store}` fills it.")
        return
    Console().print(report.versions(published, latest.model_version if latest else None))


@main.command()
@click.argument("version", type=click.IntRange(1))
@store_option
def promote(*, version: int, store: str) -> None:
    """Make a published version latest in the store, and champion: forward, or back to an old one."""
    from training.publishing import registry, tracking

    described = releases.promote(str(version), open_store(store))
    with tracking.connected() as uri:
        if registry.run_of(str(version)) == described.run_id:
            registry.crown(str(version))
        else:
            click.echo(f"The registry at {uri} does not know this model, so no champion was named there.")


@main.command()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The service to ask.")
@click.option("--process", type=click.IntRange(1), metavar="PID", help="Wait no longer than this process runs.")
def sample(*, url: str, process: int | None) -> None:
    """Ask a running service for a held-out house value, and print it beside the true one."""
    from training.sample import ask

    asked = ask(url, process)
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
    except ModuleNotFoundError as error:
        click.echo(f"Error: {error.name} {NOT_INSTALLED}.", err=True)
        return FAILED
    except (TrainingError, BotoCoreError, ClientError, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        return FAILED


def _terminate(*_: object) -> None:
    """Let SIGTERM unwind like Ctrl-C, so that MLflow's run is closed and temporary files go."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(run())
