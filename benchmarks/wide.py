"""A wide table, 200 features of which 80 are categories, and 1,000 trees: this service against MLServer, one model."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import mlflow.xgboost
import numpy as np
import pandas as pd
import xgboost

from api.store.schema import Feature, Schema, Target
from benchmarks.serving import CONNECTIONS, HERE, measure
from benchmarks.stack import VALUE, Stack, running, stacks
from tests.models import publish

NUMBERS, CATEGORIES, CODES = 120, 80, 12
TREES, DEPTH, TRAINED, ASKED = 1_000, 6, 2_000, 500
NAMES = tuple(f"category {code}" for code in range(CODES))
SCHEMA = Schema(
    name="wide",
    features=(
        *(Feature(name=f"number {i}") for i in range(NUMBERS)),
        *(Feature(name=f"choice {i}", kind="category", categories=NAMES) for i in range(CATEGORIES)),
    ),
    target=Target(name="outcome"),
)


def table(rows: int, seed: int) -> pd.DataFrame:
    """Rows at random."""
    draw = np.random.default_rng(seed)
    numbers = draw.normal(size=(rows, NUMBERS)).astype(np.float32)
    codes = draw.integers(0, CODES, (rows, CATEGORIES))
    columns: dict[str, Any] = {f"number {i}": numbers[:, i] for i in range(NUMBERS)}
    columns |= {f"choice {i}": pd.Categorical(np.array(NAMES)[codes[:, i]], NAMES) for i in range(CATEGORIES)}
    return pd.DataFrame(columns)


def train(folder: Path) -> Path:
    """A published MLflow directory, made once."""
    model = folder / "model"
    if not model.exists():
        folder.mkdir(parents=True, exist_ok=True)
        rows = table(TRAINED, seed=1)
        codes = np.stack([rows[f"choice {i}"].cat.codes for i in range(CATEGORIES)], axis=1)
        outcome = rows["number 0"] * rows["number 1"] + np.sin(codes * np.arange(1, CATEGORIES + 1)).sum(axis=1)
        parameters = {"max_depth": DEPTH, "learning_rate": 0.05, "seed": 1, "nthread": 1}
        data = xgboost.DMatrix(rows, outcome, enable_categorical=True)
        booster = xgboost.train(parameters, data, TREES)
        mlflow.xgboost.save_model(booster, model, model_format="ubj", pip_requirements=["xgboost"])
        publish(model, SCHEMA, rows.head(100), booster=booster)
    return model


def write(stack: Stack, model: Path) -> Path:
    """The request bodies that this stack understands, each with the value that XGBoost gives for it."""
    rows = table(ASKED, seed=2)
    booster = xgboost.Booster(model_file=model / "model.ubj")
    values = booster.predict(xgboost.DMatrix(rows, enable_categorical=True))
    bodies: list[Any]
    if stack.body == "v2":
        # MLServer's XGBoost runtime takes one array of numbers: categories are sent to it as codes.
        coded = rows.apply(lambda column: column.cat.codes if column.dtype == "category" else column)
        bodies = [
            {"inputs": [{"name": "input", "shape": [1, len(row)], "datatype": "FP32", "data": row}]}
            for row in coded.to_numpy(np.float32).tolist()
        ]
    else:
        bodies = rows.to_dict("records")
    path = model.parent / f"rows-{stack.name}.tsv"
    lines = [f"{float(value)!r}\t{json.dumps(body)}" for value, body in zip(values, bodies, strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


@click.command()
@click.option("--rounds", default=2, show_default=True, help="How often each of both is started and measured.")
@click.option("--seconds", default=5, show_default=True, help="How long each load lasts.")
def main(*, rounds: int, seconds: int) -> None:
    """Print requests a second, processor time and latency at 1 and at 64 connections."""
    work = HERE / "results" / "wide"
    model = train(work)
    chosen = [
        replace(stack, value_pattern=VALUE.replace("median_house_value", "prediction"))
        if stack.name == "ours"
        else stack
        for stack in stacks(model)
        if stack.name in ("ours", "mlserver")
    ]
    click.echo(f"{NUMBERS + CATEGORIES} features, {CATEGORIES} of them categories, {TREES:,} trees of depth {DEPTH}")
    for _ in range(rounds):
        for stack in chosen:
            rows_file = write(stack, model)
            with running(stack, work / f"{stack.name}.log") as started:
                measure(stack, started, rows_file, 4, 1)
                for connections in (CONNECTIONS[0], CONNECTIONS[-1]):
                    figures = measure(stack, started, rows_file, connections, seconds)
                    click.echo(
                        f"{stack.name:<10}{connections:>3} connections:{figures['rps']:>8,.0f} requests/s,"
                        f"{figures['cpu_us']:>8,.0f} µs of processor time each, median {figures['p50_us'] / 1e3:.1f} ms"
                    )


if __name__ == "__main__":
    main()
