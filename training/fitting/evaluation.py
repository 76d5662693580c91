"""How good a model is: on rows it has not seen, beside plain models, and on groups of rows it has not seen."""

from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, PredefinedSplit, cross_val_predict

from api.store.manifest import IntervalBins
from training.fitting import intervals, scores
from training.fitting.estimators import Values, baselines, features, predict, truth
from training.rows.splitting import Places, Split, folds_of, groups_of
from training.tables.description import Table


class Measured(NamedTuple):
    """Every figure of a model, and how sure its predictions are."""

    metrics: dict[str, float]
    predicted: Values
    """For the held-out rows."""
    interval: IntervalBins | None = None
    label_threshold: float | None = None


def measure(
    model: Any,
    parts: Split,
    train: pd.DataFrame,
    description: Table,
    folds: int,
    calibrate: pd.DataFrame | None = None,
) -> Measured:
    """Measure a fitted model on all held-out rows, as the service meets them.

    Args:
        model: fitted on `train`.
        parts: all rows, split.
        train: the cleaned training rows.
        description: of the table.
        folds: of the cross-validations.
        calibrate: rows that the model has not learned from, to set intervals on; None sets them on predictions out of
            fold.
    """
    true = truth(parts.test, description)
    predicted = predict(model, parts.test, description)
    metrics = {f"test_{name}": value for name, value in scores.score(true, predicted).items()}
    for prefix, plain in baselines(train, description).items():
        beside = scores.score(true, predict(plain, parts.test, description))
        metrics |= {f"{prefix}test_{name}": value for name, value in beside.items()}
    if calibrate is None:
        known, unseen = train, _out_of_fold(model, train, description, folds_of(train, description, folds))
    else:
        known, unseen = calibrate, predict(model, calibrate, description).astype(np.float64)
    metrics |= _grouped(model, train, description, folds)
    if description.target.kind == "number":
        return _with_interval(metrics, truth(known, description), unseen, true, predicted, description)
    threshold = intervals.label_threshold(truth(known, description), unseen)
    sets = intervals.hold_labels(threshold, true, predicted.copy())
    metrics |= {"set_coverage": sets.coverage, "set_mean_size": sets.mean_size}
    return Measured(metrics, predicted, label_threshold=threshold)


def _with_interval(
    metrics: dict[str, float], known: Values, unseen: Values, true: Values, predicted: Values, description: Table
) -> Measured:
    bins = intervals.interval_bins(known, unseen)
    held = intervals.hold(bins, true, predicted, description.target.low, description.target.high)
    metrics |= {
        "interval_coverage": held.coverage,
        "interval_mean_width": held.mean_width,
        "interval_constant_width": intervals.constant_width(known, unseen),
        **intervals.fifths(held),
    }
    return Measured(metrics, predicted, interval=bins)


def _out_of_fold(model: Any, train: pd.DataFrame, description: Table, folds: PredefinedSplit) -> Values:
    """A prediction for each training row by a model that has not learned from it."""
    method = "predict" if description.target.kind == "number" else "predict_proba"
    with joblib.parallel_config("threading", n_jobs=-1):
        predicted: Values = cross_val_predict(
            clone(model), features(train, description), truth(train, description), cv=folds, method=method
        )
    return predicted.astype(np.float64)


def _grouped(model: Any, train: pd.DataFrame, description: Table, folds: int) -> dict[str, float]:
    """The score that decides, when whole groups are held out; nothing where there are fewer groups than folds.

    Random folds may put a row's neighbours on both sides, which flatters the model.
    """
    if description.groups is None:
        return {}
    groups = groups_of(train, description.groups)
    if len(np.unique(groups)) < folds:
        return {}
    numbers = np.empty(len(train), np.intp)
    for number, (_, held_out) in enumerate(GroupKFold(folds).split(train, groups=groups)):
        numbers[held_out] = number
    if description.target.kind != "number" and _lacks_a_class(truth(train, description), numbers):
        return {}
    unseen = _out_of_fold(model, train, description, PredefinedSplit(numbers))
    name = next(iter(scores.titles(description.target.kind)))
    return {f"groups_cv_{name}": scores.score(truth(train, description), unseen)[name]}


def _lacks_a_class(codes: Values, folds: Places) -> bool:
    """Whether a fold holds all rows of a class, so that the others cannot teach it."""
    classes = len(np.unique(codes))
    return any(len(np.unique(codes[folds != fold])) < classes for fold in np.unique(folds))
