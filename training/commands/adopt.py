"""`adopt`: a model that another program trained, published like our own."""

from pathlib import Path

import click

from training.commands.options import FILE, DescriptionFile, store_option
from training.errors import DescriptionError
from training.publishing.stores import open_store
from training.tables.loading import Described


@click.command()
@click.argument("model_uri")
@click.option(
    "--data",
    required=True,
    type=FILE,
    help="A CSV or Parquet file with rows such as the model will be asked about.",
)
@click.option(
    "--table",
    "described",
    type=DescriptionFile(),
    metavar="FILE",
    help="The file that describes its table. [default: what its signature and the rows say]",
)
@click.option("--name", metavar="NAME", help="What to call it. [default: the table's name]")
@store_option
def adopt(*, model_uri: str, data: Path, described: Described | None, name: str | None, store: str) -> None:
    """Describe, prove, register and publish an XGBoost model that MLflow saved: models:/…, runs:/… or a directory.

    The service's own tree walk is proven to equal XGBoost, bit for bit, on the rows of --data and at the edges.
    """
    called = name or (described.table.name if described else None)
    if called is None:
        raise DescriptionError("Name the model: --name NAME, or --table FILE that does.")
    if described and name and name != described.table.name:
        raise DescriptionError(f"--name {name} is not the name in the table's description, {described.table.name}.")
    destination = open_store(store, called)
    from training.publishing import adoption, tracking
    from training.rows.files import read

    sample = read(data)
    with tracking.connected():
        version = adoption.adopt(model_uri, sample, str(data), name=called, described=described, store=destination)
    click.echo(
        f"Version {version} of {called} is in {store}. Serve it: MODEL_PATH={destination.where(version)} python -m api"
    )
