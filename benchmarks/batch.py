"""Ten thousand rows in one request, against XGBoost alone in one thread, and what other requests notice of it."""

import json
import os
import statistics
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

import click
import xgboost

from benchmarks import rows
from benchmarks.stack import PORT, SERVER_CORE, running, stacks
from tests.california import FEATURES, TABLE
from training.rows.data import load

ROWS = 10_000
HERE = Path(__file__).parent


def post(connection: HTTPConnection, path: str, body: bytes) -> float:
    """Seconds that one request takes."""
    started = time.perf_counter()
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise click.ClickException(f"{path} answered {response.status}")
    return time.perf_counter() - started


@click.command()
@click.option("--repeats", default=9, show_default=True)
def main(*, repeats: int) -> None:
    """Measure a full batch."""
    work = HERE / "results"
    work.mkdir(exist_ok=True)
    model = rows.train(work)
    table = load(TABLE).table[list(FEATURES)].head(ROWS)
    booster = xgboost.Booster(model_file=model / "model.ubj")
    booster.set_param({"nthread": 1})
    array = table.to_numpy()
    other_cores = set(range(os.cpu_count() or 1)) - {int(SERVER_CORE)}

    def predict() -> float:
        """Seconds that XGBoost alone takes, on the service's core."""
        os.sched_setaffinity(0, {int(SERVER_CORE)})
        started = time.perf_counter()
        booster.inplace_predict(array, validate_features=False)
        taken = time.perf_counter() - started
        os.sched_setaffinity(0, other_cores)
        return taken

    body = json.dumps({"rows": table.to_dict("records")}).encode()
    single = json.dumps(table.iloc[0].to_dict()).encode()
    ours = next(stack for stack in stacks(model) if stack.name == "ours")
    with running(ours, work / "batch.log"):
        connection = HTTPConnection("127.0.0.1", PORT, timeout=60)
        predict()
        post(connection, "/predict/batch", body)
        # In turns, so that whatever else the machine does hits both.
        alone, batch = zip(
            *((predict(), post(connection, "/predict/batch", body)) for _ in range(repeats)), strict=True
        )
        done = threading.Event()
        waits: list[float] = []

        def singles() -> None:
            other = HTTPConnection("127.0.0.1", PORT, timeout=60)
            while not done.is_set():
                waits.append(post(other, "/predict", single))

        thread = threading.Thread(target=singles)
        thread.start()
        for _ in range(repeats):
            post(connection, "/predict/batch", body)
        done.set()
        thread.join()
    xgboost_ms, batch_ms = statistics.median(alone) * 1e3, statistics.median(batch) * 1e3
    click.echo(f"XGBoost {xgboost.__version__} alone, one thread: {xgboost_ms:.0f} ms for {ROWS:,} rows")
    click.echo(
        f"POST /predict/batch, parsing and answer included: {batch_ms:.0f} ms, {batch_ms / xgboost_ms:.2f} times"
    )
    waits.sort()
    click.echo(
        f"single predictions meanwhile: {len(waits)}, median {statistics.median(waits) * 1e3:.1f} ms, "
        f"longest {waits[-1] * 1e3:.1f} ms"
    )


if __name__ == "__main__":
    main()
