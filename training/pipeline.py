"""One training, from the dataset to a registered version."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import joblib
import pandas as pd
import xgboost

from training.errors import DataError
from training.figures.drawing import draw
from training.fitting import card, scores
from training.fitting.distribution import distribution, ranges
from training.fitting.estimators import PLAIN, features
from training.fitting.evaluation import measure
from training.fitting.facts import Facts
from training.fitting.known import known_answers
from training.fitting.search import by_rank, search
from training.publishing import promotion, recording, registry, tracking
from training.publishing.promotion import Candidate, Decision
from training.tables.cleaning import clean
from training.tables.data import Dataset
from training.tables.description import Table
from training.tables.loading import Described
from training.tables.splitting import numbered, split

FEWEST_ROWS = 50
"""Fewer different, clean training rows cannot be cross-validated to any purpose."""

log = logging.getLogger(__name__)


class Trained(NamedTuple):
    """A registered version, what is known of it and whether it became the champion."""

    version: str
    facts: Facts
    decision: Decision


def train(
    described: Described,
    dataset: Dataset,
    *,
    candidates: int,
    folds: int,
    seed: int = 42,
    cluster: str | None = None,
    force: bool = False,
) -> Trained:
    """Train, evaluate, track and register a model, and make it the champion if it beats the current one.

    Args:
        described: the table.
        dataset: its rows.
        candidates: hyperparameter combinations to try.
        folds: cross-validation folds.
        seed: of the search and of XGBoost; the split's never changes.
        cluster: address of a Dask scheduler to search on.
        force: become the champion whatever the figures say.

    Raises:
        TrainingError: with a text for the user.
    """
    table, schema = described.table, described.table.schema()
    log.info("%s rows from %s, sha256 %s...", f"{len(dataset.table):,}", dataset.source, dataset.sha256[:12])
    repeated = len(dataset.table) - len(set(numbered(dataset.table)))
    if repeated:
        log.info("%s rows repeat others: they stay on the same side of every split as those", f"{repeated:,}")
    parts = split(dataset.table, table)
    train_rows, removed = clean(parts.train, table.cleaning)
    for rule, rows in removed.items():
        log.info("Cleaning: %s removed %d of %s training rows", rule, rows, f"{len(parts.train):,}")
    _check(train_rows, parts.train, table)

    # What would fail after minutes of searching fails now: reading the champion, writing to the run.
    since = registry.newest(table.name)
    if (champion := registry.champion(table.name)) is not None:
        registry.load(table.name, champion)
    name = f"{candidates} x {folds} fits, seed {seed}, {Path(dataset.source).name}"
    with tracking.run(table.name, name) as run_id:
        recording.log_dataset(dataset, table)
        found = search(train_rows, table, candidates=candidates, folds=folds, seed=seed, cluster=cluster)
        results = by_rank(found, table.target.kind)
        model = found.best_estimator_
        fits = 2 * folds if table.groups else folds
        seconds = found.refit_time_ * fits / min(folds, joblib.cpu_count())
        log.info("Measuring the best of %d candidates: %d fits, about %.0f s", len(results), fits, seconds)
        measured = measure(model, parts, train_rows, table, folds)
        facts = Facts(
            table=table,
            table_sha256=described.sha256,
            run_id=run_id,
            trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
            git_revision=tracking.git_revision(),
            xgboost_version=xgboost.__version__,
            seed=seed,
            candidates=len(results),
            folds=folds,
            data_source=dataset.source,
            data_sha256=dataset.sha256,
            data_rows=len(dataset.table),
            train_rows=len(train_rows),
            test_rows=len(parts.test),
            repeated_rows=repeated,
            removed=removed,
            parameters=found.best_params_,
            metrics={
                "cv_score": float(results["score"][0]),
                "cv_score_std": float(results["score_std"][0]),
                **measured.metrics,
            },
            ranges=ranges(train_rows, schema.features),
            interval=measured.interval,
            label_threshold=measured.label_threshold,
            distribution=distribution(train_rows, measured.predicted, schema),
            known_answers=known_answers(model.get_booster(), features(parts.test, table), measured.predicted, schema),
        )
        log.info("Drawing the figures and keeping everything in MLflow: some seconds")
        recording.log_facts(facts)
        recording.log_candidates(results)
        recording.log_figures(draw(model, parts.test, measured.predicted, results, table, seed))
        recording.log_card(card.render(facts))
        model_id = recording.log_model(model.get_booster(), parts.test[list(table.features)].head(3), facts)
        decisive = next(iter(scores.titles(table.target.kind)))
        candidate = Candidate(table, parts.test, measured.predicted, measured.metrics[f"{PLAIN}test_{decisive}"])
        decision = promotion.judge(candidate, force=force)
        with registry.registering(table.name, model_id, run_id) as version:
            registry.note(table.name, version, registry.REASON, decision.reason)
            if decision.promoted:
                decision = promotion.crown(version, decision, candidate, since=since, force=force)
    return Trained(version, facts, decision)


def _check(train_rows: pd.DataFrame, before: pd.DataFrame, table: Table) -> None:
    """Cleaning must have left something to learn."""
    if len(set(numbered(train_rows))) < FEWEST_ROWS:
        raise DataError(f"Cleaning left {len(train_rows)} of {len(before):,} training rows, too few to train on.")
    target = train_rows[table.target.column]
    if target.nunique() == 1:
        raise DataError(f"All training rows have the {target.name} {target.iloc[0]}: there is nothing to learn.")
    if table.target.kind != "number" and target.nunique() < len(table.schema().target.classes):
        raise DataError(f"The training rows lack a class of {target.name}: it can neither be learned nor judged.")
