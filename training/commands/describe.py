"""`describe`: a first description of a file's rows."""

import shlex
from pathlib import Path

import click

from training.commands.options import FILE
from training.errors import DataError, DescriptionError
from training.tables import loading


@click.command()
@click.argument("file", type=FILE)
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to. [default: tables/FILE.toml]")
@click.option("--force", is_flag=True, help="Write over a description that is there.")
def describe(*, file: Path, target: str, out: Path | None, force: bool) -> None:
    """Draft the description of a table from a CSV or Parquet file: kinds, ranges, categories, what is missing.

    What only a person can decide is said in remarks. Read it, correct it, and train with it.
    """
    from training.rows.checks import check
    from training.rows.drafting import draft, draft_name
    from training.rows.files import read

    destination = out or Path("tables") / f"{draft_name(file)}.toml"
    if destination.exists() and not force:
        raise DescriptionError(f"{destination} is there already: name another file with --out, or give --force.")
    found = read(file)
    text = draft(found, target, file)
    table = loading.load_text(text, str(destination))  # a draft that could not be read would help nobody
    destination.parent.mkdir(parents=True, exist_ok=True)
    destination.write_text(text)
    remarks = [line.removeprefix("# ") for line in text.splitlines()[2:] if line.startswith("# ")]
    for remark in remarks:
        click.echo(f"  - {remark}")
    try:
        check(found, table, str(file))
    except DataError as error:
        click.echo(f"  - Training will refuse these rows: {error}")
    command = shlex.join(["python", "-m", "training", "train", "--table", str(destination), "--data", str(file)])
    click.echo(f"{destination} is written. Read it, then: {command}")
