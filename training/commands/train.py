"""`train`: a new version, from the rows to the registry."""

import logging
import shlex

import click
from rich.console import Console

from api.store.manifest import LATEST
from training.commands.options import NOT_PROMOTED, data_option, table_option
from training.commands.publish import publish
from training.publishing import releases
from training.publishing.stores import open_store
from training.tables.loading import Described

log = logging.getLogger("training")


@click.command()
@table_option
@data_option
@click.option("--candidates", type=click.IntRange(1, 10_000), help="Combinations to try. [default: the table's, 20]")
@click.option("--folds", type=click.IntRange(2, 20), help="Cross-validation folds. [default: the table's, 5]")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=42, show_default=True, help="Same seed, same model.")
@click.option("--cluster", metavar="tcp://HOST:PORT", help="Search, and train on several files, on a Dask cluster.")
@click.option("--force", is_flag=True, help="Become champion even when not better.")
@click.option("--once", is_flag=True, help="Train nothing where there is a champion already.")
@click.option("--publish", "store", metavar="DIR|s3://BUCKET[/PREFIX]", help="Then publish the champion to this store.")
@click.pass_context
def train(
    context: click.Context,
    *,
    described: Described,
    data: str | None,
    candidates: int | None,
    folds: int | None,
    seed: int,
    cluster: str | None,
    force: bool,
    once: bool,
    store: str | None,
) -> int:
    """Search, evaluate, track and register a new version.

    It becomes champion if it beats the present champion on the same held-out rows, by more than chance; a first version
    has to beat a linear or logistic regression.
    """
    name, search = described.table.name, described.table.search
    if store:
        releases.read(open_store(store, name), LATEST)  # a store that cannot be used is found now, not after the search
    champion = _champion(name) if once else None
    if champion:
        click.echo(f"Version {champion} is champion already: nothing is trained.")
        version, code = champion, 0
    else:
        version, code = _train(
            described,
            data,
            candidates=candidates or search.candidates,
            folds=folds or search.folds,
            seed=seed,
            cluster=cluster,
            force=force,
        )
    if code and _champion(name) is None:
        where = f" --store {shlex.quote(store)}" if store else ""
        click.echo(
            "Nothing is published. To use the version all the same: "
            f"`python -m training publish{described.option} --version {version} --force{where}`."
        )
    elif store:
        context.invoke(publish, described=described, version=None, store=store, force=False)
    elif code == 0:
        click.echo(f"Next: `python -m training publish{described.option}`; `{described.runs}` shows the figures.")
    return code


def _champion(name: str) -> str | None:
    from training.publishing import registry, tracking

    with tracking.connected():
        return registry.champion(name)


def _train(
    described: Described,
    data: str | None,
    *,
    candidates: int,
    folds: int,
    seed: int,
    cluster: str | None,
    force: bool,
) -> tuple[str, int]:
    """The version that was registered, and the exit code."""
    log.info("Loading %s", data or described.table.title or described.table.name)
    from training.rows.data import rows_of

    dataset = rows_of(described.table, data)
    log.info("Loading XGBoost and MLflow: a few seconds")
    from training import pipeline
    from training.publishing import tracking

    with tracking.connected():
        outcome = pipeline.train(
            described, dataset, candidates=candidates, folds=folds, seed=seed, cluster=cluster, force=force
        )
    promoted = outcome.decision.promoted
    from training import report

    Console().print(report.trained(outcome.version, outcome.facts))
    click.echo(f"Version {outcome.version} is {'champion' if promoted else 'not promoted'}: {outcome.decision.reason}.")
    return outcome.version, 0 if promoted else NOT_PROMOTED
