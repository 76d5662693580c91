"""One training, from the rows to a registered version."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import xgboost
from sklearn.model_selection import RandomizedSearchCV

from training.figures.drawing import draw
from training.fitting import card, scores
from training.fitting.distribution import distribution
from training.fitting.estimators import PLAIN, features
from training.fitting.evaluation import measure
from training.fitting.facts import Facts
from training.fitting.known import known_answers
from training.fitting.search import by_rank, search
from training.in_parts import finalists, preparing
from training.in_parts.finalists import Chosen
from training.in_parts.places import Place, place_of
from training.in_parts.preparing import Ready
from training.prepared import Prepared, prepare
from training.publishing import promotion, recording, registry, tracking
from training.publishing.promotion import Candidate, Decision
from training.rows.data import Dataset
from training.rows.parts import Parts
from training.tables.description import Table
from training.tables.loading import Described

log = logging.getLogger(__name__)


class Trained(NamedTuple):
    """A registered version, what is known of it and whether it became the champion."""

    version: str
    facts: Facts
    decision: Decision


def train(
    described: Described,
    dataset: Dataset | Parts,
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
        dataset: its rows, in memory or in parts.
        candidates: hyperparameter combinations to try.
        folds: cross-validation folds.
        seed: of the search and of XGBoost; the split's never changes.
        cluster: address of a Dask scheduler; its workers search, and read and learn from a table in parts.
        force: become the champion whatever the figures say.

    Raises:
        TrainingError: with a text for the user.
    """
    table = described.table
    options: dict[str, Any] = {
        "candidates": candidates,
        "folds": folds,
        "seed": seed,
        "cluster": cluster,
        "force": force,
    }
    if isinstance(dataset, Dataset):
        return _train(described, prepare(dataset, table), _best_of_search, **options)
    with place_of(dataset.parts, cluster) as place:
        ready = preparing.prepare(dataset, table, place)
        return _train(described, ready.prepared, partial(_best_on_all, ready, place), **options)


def _train(
    described: Described,
    rows: Prepared,
    choose: Callable[[RandomizedSearchCV, Table, int], Chosen],
    *,
    candidates: int,
    folds: int,
    seed: int,
    cluster: str | None,
    force: bool,
) -> Trained:
    table, schema, parts = described.table, described.table.schema(), rows.parts
    # What would fail after minutes of searching fails now: reading the champion, writing to the run.
    since = registry.newest(table.name)
    if (champion := registry.champion(table.name)) is not None:
        registry.load(table.name, champion)
    name = f"{candidates} x {folds} fits, seed {seed}, {Path(rows.dataset.source).name}"
    with tracking.run(table.name, name) as run_id:
        recording.log_dataset(rows.dataset, table)
        found = search(rows.train, table, candidates=candidates, folds=folds, seed=seed, cluster=cluster)
        model, parameters, results = choose(found, table, seed)
        fits = folds * ((rows.calibrate is None) + (table.groups is not None))
        seconds = found.refit_time_ * fits / min(folds, joblib.cpu_count())
        log.info("Measuring the best of %d candidates: %d fits, about %.0f s", len(results), fits, seconds)
        measured = measure(model, parts, rows.train, table, folds, rows.calibrate)
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
            data_source=rows.dataset.source,
            data_sha256=rows.dataset.sha256,
            data_rows=rows.data_rows,
            train_rows=rows.train_rows,
            test_rows=rows.test_rows,
            repeated_rows=rows.repeated_rows,
            sampled=rows.sampled,
            removed=rows.removed,
            parameters=parameters,
            metrics={
                "cv_score": float(results["score"][0]),
                "cv_score_std": float(results["score_std"][0]),
                **measured.metrics,
            },
            ranges=rows.ranges,
            interval=measured.interval,
            label_threshold=measured.label_threshold,
            distribution=distribution(rows.train, measured.predicted, schema),
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


def _best_of_search(found: RandomizedSearchCV, table: Table, _: int) -> Chosen:
    return Chosen(found.best_estimator_, found.best_params_, by_rank(found, table.target.kind))


def _best_on_all(ready: Ready, place: Place, found: RandomizedSearchCV, table: Table, seed: int) -> Chosen:
    return finalists.choose(by_rank(found, table.target.kind), ready, table, seed, place)
