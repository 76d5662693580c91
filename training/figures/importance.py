"""What the model looks at."""

from typing import Any

import joblib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.inspection import permutation_importance

from training.figures.style import BLUE, new_figure, plain, with_unit
from training.fitting.estimators import features, names_in_model, truth
from training.tables.description import Table

MOST_ROWS = 5_000
"""Shuffled rows; more would not move a bar."""

MOST_BARS = 20


def feature_importance(model: Any, test: pd.DataFrame, description: Table, seed: int) -> Figure:
    """Importance by gain in the trees, and by what shuffling a feature costs on the held-out rows."""
    names = list(description.features)
    rows = test.sample(min(len(test), MOST_ROWS), random_state=seed)
    gain = pd.Series(model.get_booster().get_score(importance_type="gain"), dtype=float)
    gain = gain.reindex(names_in_model(description), fill_value=0.0).set_axis(names)
    number = description.target.kind == "number"
    with joblib.parallel_config("threading", n_jobs=-1):
        shuffled = permutation_importance(
            model,
            features(rows, description),
            truth(rows, description),
            scoring="neg_root_mean_squared_error" if number else "neg_log_loss",
            n_repeats=3,
            random_state=seed,
        )
    cost = pd.Series(shuffled.importances_mean, index=names)
    figure = new_figure(10, 2 + 0.32 * min(len(names), MOST_BARS))
    left, right = figure.subplots(1, 2)
    lost = with_unit("RMSE added by shuffling the feature", description.target.unit)
    _bars(left, gain / (gain.sum() or 1.0), "In the trees", "Share of the average gain of a split")
    _bars(right, cost, "On held-out rows", lost if number else "Log loss added by shuffling the feature")
    figure.suptitle("What the model looks at", x=0.01, ha="left", weight="bold")
    return figure


def _bars(axes: Axes, values: pd.Series, title: str, label: str) -> None:
    values = values.sort_values().tail(MOST_BARS)
    places = range(len(values))
    axes.barh(places, values, color=BLUE)
    axes.set_yticks(places, [plain(str(name)) for name in values.index])
    axes.grid(visible=False, axis="y")
    axes.set(title=title, xlabel=label)
