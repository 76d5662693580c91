"""`captured`: the rows that a service was asked about, read back from its logs."""

import shlex
from collections.abc import Mapping
from datetime import timedelta
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from training.commands.options import NEW_FILE, table_option, truth_option
from training.errors import LogsError
from training.tables.loading import Described

_SHOWN = 3


class Span(click.ParamType[timedelta]):
    """A span of time until now."""

    name = "SPAN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it."""
        from training.watching.logs import duration

        try:
            return value if isinstance(value, timedelta) else duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@table_option
@click.option("--since", type=Span(), default="7d", show_default=True, help="How far back: 30m, 12h, 7d, 2w.")
@click.option(
    "--log-group",
    envvar="CAPTURE_LOG_GROUP",
    show_envvar=True,
    required=True,
    metavar="NAME",
    help="Where the stack keeps them: `pulumi stack output capture_log_group`.",
)
@truth_option
@click.option("--out", type=NEW_FILE, required=True, metavar="FILE.parquet", help="Where to.")
def captured(*, described: Described, since: timedelta, log_group: str, truth: Path | None, out: Path) -> None:
    """Read captured rows back from CloudWatch Logs into a Parquet file.

    With --truth only the rows whose true value is known are kept, with it: a file for train --data.
    """
    if out.suffix.lower() != ".parquet":
        raise click.BadParameter(f"{out} does not end in .parquet.", param_hint="--out")
    if not out.parent.is_dir():
        raise click.BadParameter(f"there is no folder {out.parent}.", param_hint="--out")
    from training.watching import captured as rows
    from training.watching import logs
    from training.watching import truth as truths

    table = described.table
    known = None if truth is None else truths.load(truth, table)
    lines = rows.Lines(table.schema())
    records = lines.records(logs.messages(log_group, since))
    first = next(records, None)
    if first is None:
        raise LogsError(f"{log_group} got no captured row of {table.name} in this time{_left_out(lines.refused)}.")
    if known is None:
        rows.write(chain([first], records), table.schema(), out)
        click.echo(f"{out} has {lines.taken:,} rows{_left_out(lines.refused)}.")
        click.echo(_next("drift", described, "--captured", out))
        return
    with TemporaryDirectory() as folder:
        everything = Path(folder, out.name)
        rows.write(chain([first], records), table.schema(), everything)
        joined = truths.join(rows.load(everything), known)
    rows.write_table(joined, out)
    click.echo(f"{out} has {len(joined):,} of {lines.taken:,} rows, with their truth{_left_out(lines.refused)}.")
    if missing := [name for name in table.columns if name not in joined]:
        click.echo(
            f"To train on it, {truth} must also have {', '.join(missing)}, which the rows are split or grouped by."
        )
    else:
        click.echo(_next("train", described, "--data", out))


def _left_out(refused: Mapping[str, int]) -> str:
    if not refused:
        return ""
    commonest = sorted(refused.items(), key=lambda item: -item[1])[:_SHOWN]
    lines = sum(refused.values())
    return f"; {lines:,} of the lines hold none: {'; '.join(f'{why} ({count:,})' for why, count in commonest)}"


def _next(command: str, described: Described, option: str, out: Path) -> str:
    return f"Next: `python -m training {command}{described.option} {option} {shlex.quote(str(out))}`"
