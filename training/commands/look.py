"""`ui` and `sample`: what the runs show, and what the service answers."""

import json
import os
import shlex
import sys
from pathlib import Path

import click

from training.commands.options import data_option, table_option
from training.tables.loading import Described


@click.command()
@table_option
def ui(*, described: Described) -> None:
    """Show runs, figures and models in MLflow's own pages, until Ctrl-C."""
    from training.publishing import tracking

    with tracking.connected() as uri:
        # The root, and the experiment's own address, open on pages for prompts and traces.
        page = f"#/experiments/{tracking.use_experiment(described.table.name)}/runs?workflowType=machine_learning"
    if uri.startswith("http"):
        click.echo(f"{uri.rstrip('/')}/{page}")
        return
    click.echo(f"The runs are at http://127.0.0.1:{os.environ.get('MLFLOW_PORT', 5000)}/{page}")
    environment = {**os.environ, "MLFLOW_BACKEND_STORE_URI": tracking.address()}
    os.execve(sys.executable, [sys.executable, "-m", "mlflow", "ui"], environment)  # noqa: S606


@click.command()
@table_option
@data_option
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The service to ask.")
@click.option("--process", type=click.IntRange(1), metavar="PID", help="Wait no longer than this process runs.")
def sample(*, described: Described, data: Path | None, url: str, process: int | None) -> None:
    """Ask a running service to predict a held-out row, and print the answer beside the truth."""
    from training.sample import ask

    table = described.table
    asked = ask(url, table, data, process)
    body = shlex.quote(json.dumps(asked.features))
    unit = f"   (units of {table.target.unit})" if table.target.unit else ""
    click.echo(f"""
  A {table.row} that the model has never seen, from model version {asked.model_version}:
      predicted  {asked.predicted}{unit}
      true       {asked.true}

  Try it yourself     {url}/
  API documentation   {url}/docs
  From a shell        curl {url}/predict -H 'Content-Type: application/json' -d {body}
  Figures and runs    {described.runs}
  Next                the README's section "Deploy": the same model on AWS
  Stop with Ctrl-C.
""")
