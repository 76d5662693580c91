"""What several commands are told."""

import glob
from pathlib import Path
from typing import Any

import click

from training.tables.loading import DEFAULT, Described, load

NOT_PROMOTED = 3
"""Exit code: done, but the version is not better than the champion and was not promoted."""
RETRAIN = 4
"""Exit code: done, and the rows that the model is asked about speak for a new one."""

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


class DescriptionFile(click.ParamType[Described]):
    """A file that describes a table, read and checked."""

    name = "FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Described:
        """Read the file, unless it was read before."""
        if isinstance(value, Described):
            return value
        return load(Path(str(FILE.convert(value, param, ctx))))


class Rows(click.ParamType[str]):
    """A file, a folder, a pattern, or either in S3."""

    name = "ROWS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse a place of this machine where nothing is; what a pattern or a bucket has is seen when it is listed."""
        if not value.startswith("s3://") and not glob.has_magic(value) and not Path(value).exists():
            self.fail(f"File {value!r} does not exist.", param, ctx)
        return str(value)


table_option = click.option(
    "--table",
    "described",
    type=DescriptionFile(),
    default=str(DEFAULT),
    metavar="FILE",
    help="The file that describes the table, see docs/tables.md. [default: California Housing]",
)

data_option = click.option(
    "--data",
    type=Rows(),
    metavar="FILE|DIR|'PATTERN'|s3://…",
    help="The table's rows, CSV or Parquet: a file, or several by folder or pattern. [default: California Housing]",
)

store_option = click.option(
    "--store",
    default="models",
    show_default=True,
    metavar="DIR|s3://BUCKET[/PREFIX]",
    help="Where published models lie.",
)

truth_option = click.option(
    "--truth",
    type=FILE,
    help="A CSV or Parquet file of true values: request_id, row (0 where it is left out) and the target's column.",
)
