"""`drift`: whether captured rows are still like those that the model was trained on."""

import logging
from pathlib import Path

import click
from rich.console import Console

from training.commands.options import FILE, NEW_FILE, RETRAIN, store_option, table_option, truth_option
from training.errors import RegistryError
from training.publishing import releases
from training.publishing.stores import open_store
from training.tables.loading import Described

log = logging.getLogger("training")


@click.command()
@table_option
@click.option("--captured", "file", type=FILE, required=True, help="The rows, as `captured` wrote them.")
@truth_option
@click.option(
    "--against",
    type=click.IntRange(1),
    metavar="N",
    help="The version whose rows are compared with its training. [default: the one that answered last]",
)
@store_option
@click.option("--out", type=NEW_FILE, default="drift.html", show_default=True, help="Where to write the report.")
def drift(*, described: Described, file: Path, truth: Path | None, against: int | None, store: str, out: Path) -> int:
    """Compare captured rows with what the version that answered them was trained on, and say whether to retrain.

    Exit code 4 says retrain, 0 that nothing speaks for it or that the rows are too few to tell. The report is kept with
    the version's run in MLflow, too.
    """
    from training import report
    from training.figures.drift import draw
    from training.publishing import recording, registry, tracking
    from training.watching import captured, page
    from training.watching import truth as truths
    from training.watching.drift import compare
    from training.whole_file import replacing

    table = described.table
    rows = captured.of_version(captured.load(file), against)
    version = str(rows[captured.MODEL_VERSION].iloc[0])
    manifest = releases.find(version, open_store(store, table.name))
    live = None if truth is None else truths.measure(truths.join(rows, truths.load(truth, table)), table)
    found = compare(rows, manifest, live)
    text = page.render(found, draw(found.columns, manifest.schema))
    with replacing(out) as partial:
        partial.write_text(text)
    try:
        with tracking.connected() as uri:
            if registry.run_of(table.name, version) == manifest.run_id:
                recording.log_drift(found, text)
            else:
                click.echo(f"The registry at {uri} does not know this model, so the report is not kept there.")
    except RegistryError as error:
        log.warning("The report is not kept in MLflow: %s", error)  # what it says does not depend on that
    Console().print(report.drift(found))
    click.echo(f"{page.verdict(found)} The report: {out}")
    return RETRAIN if found.reasons else 0
