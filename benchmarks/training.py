"""`python -m benchmarks.training`: our search beside the usual one, which asks for all threads inside and outside."""

import time
from collections.abc import Callable

import click
import joblib
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from sklearn.model_selection import RandomizedSearchCV
from xgboost import XGBRegressor

from tests.california import FEATURES, TABLE, TARGET
from training.fitting.search import search
from training.rows.cleaning import clean
from training.rows.data import load
from training.rows.splitting import split

SEED = 42


def usual(rows: pd.DataFrame, candidates: int, folds: int) -> RandomizedSearchCV:
    """The search as most tutorials write it."""
    model = XGBRegressor(objective="reg:squarederror", random_state=SEED, n_jobs=-1)
    found = RandomizedSearchCV(
        model,
        dict(TABLE.search.space),
        n_iter=candidates,
        cv=folds,
        scoring="neg_mean_squared_error",
        random_state=SEED,
        n_jobs=-1,
    )
    return found.fit(rows[list(FEATURES)], rows[TARGET])


def ours(rows: pd.DataFrame, candidates: int, folds: int) -> RandomizedSearchCV:
    """The search of `python -m training train`."""
    return search(rows, TABLE, candidates=candidates, folds=folds, seed=SEED)


@click.command()
@click.option("--candidates", default=20, show_default=True)
@click.option("--folds", default=5, show_default=True)
@click.option("--rounds", default=2, show_default=True, help="Each round runs both, in changing order.")
def main(candidates: int, folds: int, rounds: int) -> None:
    """Run both searches in turn, compare what they found, and print their wall times."""
    rows = clean(split(load(TABLE).table, TABLE).train, TABLE.cleaning).table
    contenders: dict[str, Callable[[pd.DataFrame, int, int], RandomizedSearchCV]] = {"usual": usual, "ours": ours}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    found: dict[str, RandomizedSearchCV] = {}
    for number in range(rounds):
        for name in list(contenders)[:: -1 if number % 2 else 1]:
            start = time.perf_counter()
            found[name] = contenders[name](rows, candidates, folds)
            seconds[name].append(time.perf_counter() - start)
    table = Table(title=f"{candidates} candidates, {folds} folds, {len(rows):,} rows, {joblib.cpu_count()} CPUs")
    for column in ("Search", "Seconds", "Best score", "Best parameters"):
        table.add_column(column)
    for name, result in found.items():
        times = ", ".join(f"{value:.1f}" for value in seconds[name])
        table.add_row(name, times, f"{result.best_score_:.8f}", str(dict(result.best_params_)))
    Console().print(table)
    scores = [result.cv_results_["mean_test_score"] for result in found.values()]
    click.echo(f"Largest difference between two scores of a candidate: {np.abs(scores[0] - scores[1]).max():.2e}")
    if found["usual"].best_params_ != found["ours"].best_params_:
        raise click.ClickException("The two searches chose different parameters.")


if __name__ == "__main__":
    main()
