"""The pictures of a training run: what the model looks at, where it errs, and what the search tried."""

from typing import Any

import joblib
import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from sklearn.inspection import permutation_importance
from xgboost import XGBRegressor

from api.model.schema import FEATURES, TARGET, TARGET_UNIT
from training.fitting.evaluation import Values, score

BLUE, ORANGE, GREY = "#2b6cb0", "#dd6b20", "#718096"
SHADES = LinearSegmentedColormap.from_list("shades", mpl.colormaps["Blues"](np.linspace(0.3, 1, 256)))
"""Blues without its palest third, in which a single row would not be seen on white."""

OVER_SEA, INLAND = (-36, -12), (60, 12)
CITIES = {
    "San Francisco": (37.77, -122.42, OVER_SEA),
    "Sacramento": (38.58, -121.49, INLAND),
    "Fresno": (36.74, -119.79, INLAND),
    "Los Angeles": (34.05, -118.24, OVER_SEA),
    "San Diego": (32.72, -117.16, OVER_SEA),
}
"""Latitude, longitude, and where the label goes, in points from there."""

STYLE: Any = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e2e8f0",
}


def draw(
    model: XGBRegressor, test: pd.DataFrame, predicted: Values, results: pd.DataFrame, seed: int
) -> dict[str, Figure]:
    """All figures of a run, by file name.

    Args:
        model: the best model.
        test: the held-out rows.
        predicted: the model's prediction for each of them.
        results: the search's table, best candidate first.
        seed: of the permutations.
    """
    with mpl.rc_context(STYLE):
        return {
            "feature_importance.png": feature_importance(model, test, seed),
            "true_vs_predicted.png": true_vs_predicted(test[TARGET], predicted),
            "residuals.png": residuals(test[TARGET], predicted),
            "error_map.png": error_map(test, predicted),
            "candidates.png": candidates(results),
        }


def feature_importance(model: XGBRegressor, test: pd.DataFrame, seed: int) -> Figure:
    """Importance by gain in the trees, and by what shuffling a feature costs on the held-out rows."""
    gain = pd.Series(model.get_booster().get_score(importance_type="gain")).reindex(list(FEATURES), fill_value=0.0)
    with joblib.parallel_config("threading", n_jobs=-1):
        shuffled = permutation_importance(
            model,
            test[list(FEATURES)],
            test[TARGET],
            scoring="neg_root_mean_squared_error",
            n_repeats=3,
            random_state=seed,
        )
    cost = pd.Series(shuffled.importances_mean, index=FEATURES)
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    _bars(left, gain / (gain.sum() or 1.0), "In the trees", "Share of the average gain of a split")
    _bars(right, cost, "On held-out rows", f"RMSE added by shuffling the feature ({TARGET_UNIT})")
    figure.suptitle("What the model looks at", x=0.01, ha="left", weight="bold")
    return figure


def true_vs_predicted(true: Values, predicted: Values) -> Figure:
    """Each held-out row's prediction against its true value."""
    rmse, _, r2 = score(true, predicted)
    figure = Figure(figsize=(6.5, 6), layout="constrained")
    axes = figure.subplots()
    axes.set_aspect("equal")
    highest = float(max(np.max(true), np.max(predicted))) * 1.03
    cells = axes.hexbin(
        true, predicted, gridsize=60, extent=(0, highest, 0, highest), mincnt=1, bins="log", cmap=SHADES
    )
    axes.plot([0, highest], [0, highest], color=ORANGE, linewidth=1, label="prediction = truth")
    axes.set(xlim=(0, highest), ylim=(0, highest))
    axes.set(xlabel=f"True median house value ({TARGET_UNIT})", ylabel=f"Predicted ({TARGET_UNIT})")
    axes.set_title(f"True and predicted values, {len(true):,} held-out rows\nRMSE {rmse:.3f}, R² {r2:.3f}")
    axes.legend(loc="upper left", frameon=False)
    figure.colorbar(cells, label="Rows", shrink=0.8, format="{x:g}")
    return figure


def residuals(true: Values, predicted: Values) -> Figure:
    """What is left to explain, against the prediction."""
    error = np.asarray(predicted) - np.asarray(true)
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    axes = figure.subplots()
    cells = axes.hexbin(predicted, error, gridsize=(70, 40), mincnt=1, bins="log", cmap=SHADES)
    axes.axhline(0, color=ORANGE, linewidth=1)
    axes.set(xlabel=f"Predicted median house value ({TARGET_UNIT})", ylabel=f"Predicted minus true ({TARGET_UNIT})")
    axes.set_title(
        "Errors on held-out rows: too high above the line, too low below\n"
        "The slanted edge is made of true values that the census cut at 5"
    )
    figure.colorbar(cells, label="Rows", format="{x:g}")
    return figure


def error_map(test: pd.DataFrame, predicted: Values) -> Figure:
    """Where in California the model is too high or too low."""
    error = np.asarray(predicted) - test[TARGET].to_numpy()
    figure = Figure(figsize=(7.5, 7.5), layout="constrained")
    axes = figure.subplots()
    worst_on_top = np.argsort(np.abs(error))
    dots = axes.scatter(
        test["Longitude"].to_numpy()[worst_on_top],
        test["Latitude"].to_numpy()[worst_on_top],
        c=error[worst_on_top],
        s=10,
        cmap="RdBu_r",
        vmin=-1.5,
        vmax=1.5,
        edgecolors=GREY,
        linewidths=0.15,
    )
    for name, (latitude, longitude, offset) in CITIES.items():
        axes.annotate(
            name,
            (longitude, latitude),
            xytext=offset,
            textcoords="offset points",
            ha="right" if offset == OVER_SEA else "left",
            fontsize=9,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.7},
        )
    axes.set_aspect(1 / np.cos(np.radians(37)))
    axes.set(xlabel="Longitude (degrees east)", ylabel="Latitude (degrees north)")
    axes.set_title(f"Error by place, {len(test):,} held-out block groups")
    figure.colorbar(dots, label=f"Predicted minus true ({TARGET_UNIT})", extend="both", shrink=0.8)
    return figure


def candidates(results: pd.DataFrame) -> Figure:
    """Every candidate's cross-validated error, best first, with the spread over the folds."""
    figure = Figure(figsize=(9, 1.6 + 0.3 * len(results)), layout="constrained")
    axes = figure.subplots()
    parameters = [name for name in results.columns if name.startswith("param_")]
    labels = [
        "  ".join(f"{name.removeprefix('param_')} {row[name]:<4g}" for name in parameters)
        for row in results[parameters].astype(float).to_dict("records")
    ]
    place = np.arange(len(results))
    axes.errorbar(results["rmse"], place, xerr=results["rmse_std"], fmt="o", color=GREY, capsize=3, zorder=2)
    axes.plot(results["rmse"].iloc[0], 0, "o", color=ORANGE, label="chosen", zorder=3)
    axes.set_yticks(place, labels, fontsize=8, family="monospace")
    axes.invert_yaxis()
    axes.set(xlabel=f"Cross-validated RMSE ({TARGET_UNIT})")
    figure.suptitle(
        f"The {len(results)} candidates of the search; bars are one standard deviation over the folds",
        x=0.01,
        ha="left",
    )
    axes.legend(loc="upper right", frameon=False)
    return figure


def _bars(axes: Axes, values: pd.Series, title: str, label: str) -> None:
    values = values.sort_values()
    axes.barh(values.index, values, color=BLUE)
    axes.grid(visible=False, axis="y")
    axes.set(title=title, xlabel=label)
