"""One training, from the dataset to a registered version."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xgboost

from api.model.schema import FEATURES, TARGET
from api.store.manifest import KnownAnswers
from training.errors import DataError
from training.fitting import card, figures
from training.fitting.evaluation import Values, measure
from training.fitting.facts import Facts
from training.fitting.search import SPACE, Space, by_rank, search
from training.publishing import promotion, recording, registry, tracking
from training.publishing.promotion import Decision
from training.tables.cleaning import clean
from training.tables.data import load
from training.tables.splitting import split

KNOWN_ANSWERS = 10
FEWEST_ROWS = 100
"""Fewer clean training rows cannot be cross-validated to any purpose."""

log = logging.getLogger(__name__)


class Trained(NamedTuple):
    """A registered version, what is known of it and whether it became the champion."""

    version: str
    facts: Facts
    decision: Decision


def train(
    file: Path | None = None,
    *,
    candidates: int = 20,
    folds: int = 5,
    seed: int = 42,
    cluster: str | None = None,
    force: bool = False,
    space: Space = SPACE,
) -> Trained:
    """Train, evaluate, track and register a model, and make it the champion if it beats the current one.

    Args:
        file: the user's own data; None for California Housing.
        candidates: hyperparameter combinations to try.
        folds: cross-validation folds.
        seed: of the search and of XGBoost; the split's never changes.
        cluster: address of a Dask scheduler to search on.
        force: become the champion whatever the figures say.
        space: hyperparameter values to choose from.

    Raises:
        TrainingError: with a text for the user.
    """
    dataset = load(file)
    log.info("%s rows from %s, sha256 %s...", f"{len(dataset.table):,}", dataset.source, dataset.sha256[:12])
    parts = split(dataset.table)
    train_rows, removed = clean(parts.train)
    for rule, rows in removed.items():
        log.info("Cleaning: %s removed %d of %s training rows", rule, rows, f"{len(parts.train):,}")
    if len(train_rows) < FEWEST_ROWS:
        raise DataError(f"Cleaning left {len(train_rows)} of {len(parts.train):,} training rows, too few to train on.")
    if train_rows[TARGET].nunique() == 1:
        raise DataError(
            f"All training rows have the {TARGET} {train_rows[TARGET].iloc[0]:g}: there is nothing to learn."
        )

    # What would fail after minutes of searching fails now: reading the champion, writing to the run.
    since = registry.newest()
    if (champion := registry.champion()) is not None:
        registry.load(champion)
    name = f"{candidates} x {folds} fits, seed {seed}, {Path(dataset.source).name}"
    with tracking.run(name) as run_id:
        recording.log_dataset(dataset)
        found = search(train_rows, candidates=candidates, folds=folds, seed=seed, space=space, cluster=cluster)
        results = by_rank(found)
        log.info("Measuring the best of %d candidates", len(results))
        model = found.best_estimator_
        metrics = {
            "cv_rmse": float(results["rmse"][0]),
            "cv_rmse_std": float(results["rmse_std"][0]),
            **measure(model, parts, train_rows, folds),
        }
        predicted = model.predict(parts.test[list(FEATURES)])
        facts = Facts(
            run_id=run_id,
            trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
            git_revision=tracking.git_revision(),
            xgboost_version=xgboost.__version__,
            seed=seed,
            candidates=candidates,
            folds=folds,
            data_source=dataset.source,
            data_sha256=dataset.sha256,
            data_rows=len(dataset.table),
            train_rows=len(train_rows),
            test_rows=len(parts.test),
            removed=removed,
            parameters=found.best_params_,
            metrics=metrics,
            ranges={name: (float(train_rows[name].min()), float(train_rows[name].max())) for name in FEATURES},
            known_answers=_known_answers(parts.test[list(FEATURES)].to_numpy(), predicted),
        )
        recording.log_facts(facts)
        recording.log_candidates(results)
        recording.log_figures(figures.draw(model, parts.test, predicted, results, seed))
        recording.log_card(card.render(facts))
        model_id = recording.log_model(model.get_booster(), parts.test[list(FEATURES)].head(3), facts)
        decision = promotion.judge(metrics["test_rmse"], parts.test, force=force)
        with registry.registering(model_id, run_id) as version:
            registry.note(version, registry.REASON, decision.reason)
            if decision.promoted:
                decision = promotion.crown(version, decision, metrics["test_rmse"], parts.test, since=since)
    return Trained(version, facts, decision)


def _known_answers(rows: Values, predicted: Values) -> KnownAnswers:
    """A few held-out rows, from the cheapest prediction to the dearest."""
    chosen = np.argsort(predicted, kind="stable")[np.linspace(0, len(predicted) - 1, KNOWN_ANSWERS).astype(int)]
    return KnownAnswers(rows[chosen].tolist(), predicted[chosen].tolist())
