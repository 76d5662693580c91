"""`publish`, `versions` and `promote`: what a store has, and which version of it is live."""

import click
from rich.console import Console

from api.store.manifest import LATEST
from training.commands.options import NOT_PROMOTED, store_option, table_option
from training.errors import RegistryError
from training.publishing import releases
from training.publishing.stores import open_store
from training.tables.loading import Described

# MLflow, scikit-learn and matplotlib take seconds to import: what needs them imports them when it runs.


@click.command()
@table_option
@click.option("--version", type=click.IntRange(1), metavar="N", help="The version to publish. [default: the champion]")
@store_option
@click.option("--force", is_flag=True, help="Make the version champion and latest, whatever the gate said.")
def publish(*, described: Described, version: int | None, store: str, force: bool) -> int:
    """Export a registered version to the store; the champion becomes latest there, if it is not.

    The service's own tree walk is first proven to equal XGBoost, bit for bit.
    """
    from training.publishing import publication, registry, tracking

    name = described.table.name
    destination = open_store(store, name)
    with tracking.connected():
        if version is not None:
            publication.publish(name, str(version), destination)
            if force:
                registry.crown(name, str(version))
        champion = registry.champion(name)
        if version is not None and str(version) != champion:
            click.echo(f"Version {version} is published but not promoted: champion is version {champion or 'none'}.")
            return NOT_PROMOTED
        live = publication.publish_champion(name, destination)
    click.echo(f"The champion, version {live}, is latest in {store}.")
    return 0


@click.command()
@table_option
@store_option
def versions(*, described: Described, store: str) -> None:
    """List the published versions, their figures and which one is live."""
    source = open_store(store, described.table.name)
    latest = releases.read(source, LATEST)
    published = releases.published(source)
    if not published:
        click.echo(
            f"Nothing of {described.table.name} is published in {store}: "
            f"`python -m training publish{described.option} --store {store}` fills it."
        )
        return
    from training import report

    Console().print(report.versions(published, latest.model_version if latest else None))


@click.command()
@click.argument("version", type=click.IntRange(1))
@table_option
@store_option
def promote(*, version: int, described: Described, store: str) -> None:
    """Make a published version latest in the store, and champion: forward, or back to an old one."""
    from training.publishing import registry, tracking

    name = described.table.name
    destination = open_store(store, name)
    wanted = releases.find(str(version), destination)
    problem: RegistryError | None = None
    try:
        # The champion first: broken off in between, the next publish goes on to the version that was asked for.
        with tracking.connected() as uri:
            if registry.run_of(name, str(version)) == wanted.run_id:
                registry.crown(name, str(version))
            else:
                click.echo(f"The registry at {uri} does not know this model, so no champion was named there.")
    except RegistryError as error:
        problem = error  # going back must not wait for a registry that does not answer
    releases.promote(str(version), destination)
    if problem:
        raise RegistryError(f"Version {version} is latest, but not champion: {problem}")
