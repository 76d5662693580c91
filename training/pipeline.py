"""One training, from the dataset to a registered version."""

import logging
from datetime import UTC, datetime
from typing import NamedTuple

import joblib
import numpy as np
import xgboost

from api.model.schema import FEATURES
from api.store.manifest import KnownAnswers
from training.errors import DataError
from training.fitting import card, figures
from training.fitting.evaluation import Values, measure
from training.fitting.facts import Facts
from training.fitting.search import SPACE, Space, by_rank, search
from training.publishing import promotion, registry, tracking
from training.publishing.promotion import Decision
from training.tables.cleaning import clean
from training.tables.data import Dataset, load
from training.tables.splitting import numbered, split

KNOWN_ANSWERS = 10
FEWEST_ROWS = 100
"""Fewer different, clean training rows cannot be cross-validated to any purpose."""

log = logging.getLogger(__name__)


class Trained(NamedTuple):
    """A registered version, what is known of it and whether it became the champion."""

    version: str
    facts: Facts
    decision: Decision


def train(
    dataset: Dataset | None = None,
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
        dataset: what to train on; None for California Housing.
        candidates: hyperparameter combinations to try.
        folds: cross-validation folds.
        seed: of the search and of XGBoost; the split's never changes.
        cluster: address of a Dask scheduler to search on.
        force: become the champion whatever the figures say.
        space: hyperparameter values to choose from.

    Raises:
        TrainingError: with a text for the user.
    """
    dataset = dataset or load()
    log.info("%s rows from %s, sha256 %s...", f"{len(dataset.table):,}", dataset.source, dataset.sha256[:12])
    repeated = len(dataset.table) - len(set(numbered(dataset.table)))
    if repeated:
        log.info("%s rows repeat others: they stay on the same side of every split as those", f"{repeated:,}")
    parts = split(dataset.table)
    train_rows, removed = clean(parts.train)
    for rule, rows in removed.items():
        log.info("Cleaning: %s removed %d of %s training rows", rule, rows, f"{len(parts.train):,}")
    if len(set(numbered(train_rows))) < FEWEST_ROWS:
        raise DataError(f"Cleaning left {len(train_rows)} of {len(parts.train):,} training rows, too few to train on.")

    with tracking.run() as run_id:
        found = search(train_rows, candidates=candidates, folds=folds, seed=seed, space=space, cluster=cluster)
        results = by_rank(found)
        model = found.best_estimator_
        seconds = found.refit_time_ * folds / min(folds, joblib.cpu_count())
        log.info("Measuring the best of %d candidates: %d fits, about %.0f s", len(results), folds, seconds)
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
            repeated_rows=repeated,
            removed=removed,
            parameters=found.best_params_,
            metrics=metrics,
            ranges={name: (float(train_rows[name].min()), float(train_rows[name].max())) for name in FEATURES},
            known_answers=_known_answers(parts.test[list(FEATURES)].to_numpy(), predicted),
        )
        log.info("Drawing the figures and keeping everything in MLflow: some seconds")
        tracking.log_facts(facts)
        tracking.log_tables(dataset.table, results)
        tracking.log_figures(figures.draw(model, parts.test, predicted, results, seed))
        tracking.log_card(card.render(facts))
        model_uri = tracking.log_model(model.get_booster(), parts.test[list(FEATURES)].head(3), facts)
        decision = promotion.judge(predicted, parts.test, linear_rmse=metrics["linear_test_rmse"], force=force)
        with registry.registering(model_uri, run_id) as version:
            registry.note(version, "promotion", decision.reason)
            if decision.promoted:
                registry.crown(version)
    return Trained(version, facts, decision)


def _known_answers(rows: Values, predicted: Values) -> KnownAnswers:
    """A few held-out rows, from the cheapest prediction to the dearest."""
    chosen = np.argsort(predicted, kind="stable")[np.linspace(0, len(predicted) - 1, KNOWN_ANSWERS).astype(int)]
    return KnownAnswers(rows[chosen].tolist(), predicted[chosen].tolist())
