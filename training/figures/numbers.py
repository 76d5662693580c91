"""Where a model that predicts numbers errs."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from api.rows.fields import lowered
from api.store.schema import Map
from training.figures.style import GREY, ORANGE, SHADES, new_figure, plain, with_unit
from training.fitting.estimators import Values, truth
from training.fitting.scores import score
from training.tables.description import Table


def draw(test: pd.DataFrame, predicted: Values, description: Table) -> dict[str, Figure]:
    """The figures of held-out rows, by file name; a map where two features are a place."""
    true = truth(test, description)
    drawn = {
        "true_vs_predicted.png": true_vs_predicted(true, predicted, description),
        "residuals.png": residuals(true, predicted, description),
    }
    if description.page.map:
        drawn["error_map.png"] = error_map(test, predicted - true, description, description.page.map)
    return drawn


def _title(description: Table) -> str:
    return lowered(description.target.title or description.target.column)


def true_vs_predicted(true: Values, predicted: Values, description: Table) -> Figure:
    """Each held-out row's prediction against its true value."""
    scores = score(true, predicted)
    figure = new_figure(6.5, 6)
    axes = figure.subplots()
    axes.set_aspect("equal")
    low, high = float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))
    room = 0.03 * (high - low)
    low, high = (0.0 if 0 <= low < room * 3 else low - room), high + room
    cells = axes.hexbin(true, predicted, gridsize=60, extent=(low, high, low, high), mincnt=1, bins="log", cmap=SHADES)
    axes.plot([low, high], [low, high], color=ORANGE, linewidth=1, label="prediction = truth")
    axes.set(xlim=(low, high), ylim=(low, high))
    unit = description.target.unit
    axes.set(xlabel=with_unit(f"True {_title(description)}", unit), ylabel=with_unit("Predicted", unit))
    axes.set_title(
        f"True and predicted values, {len(true):,} held-out rows\nRMSE {scores['rmse']:.4g}, R² {scores['r2']:.3f}"
    )
    axes.legend(loc="upper left", frameon=False)
    figure.colorbar(cells, label="Rows", shrink=0.8, format="{x:g}")
    return figure


def residuals(true: Values, predicted: Values, description: Table) -> Figure:
    """What is left to explain, against the prediction."""
    figure = new_figure(8, 4.8)
    axes = figure.subplots()
    cells = axes.hexbin(predicted, predicted - true, gridsize=(70, 40), mincnt=1, bins="log", cmap=SHADES)
    axes.axhline(0, color=ORANGE, linewidth=1)
    unit = description.target.unit
    axes.set(xlabel=with_unit(f"Predicted {_title(description)}", unit), ylabel=with_unit("Predicted minus true", unit))
    axes.set_title("Errors on held-out rows: too high above the line, too low below")
    figure.colorbar(cells, label="Rows", format="{x:g}")
    return figure


def error_map(test: pd.DataFrame, error: Values, description: Table, says: Map) -> Figure:
    """Where on the map the model is too high or too low."""
    figure = new_figure(7.5, 7.5)
    axes = figure.subplots()
    worst_on_top = np.argsort(np.abs(error))
    latitude, longitude = test[says.latitude].to_numpy(), test[says.longitude].to_numpy()
    most = float(np.quantile(np.abs(error), 0.98)) or 1.0
    dots = axes.scatter(
        longitude[worst_on_top],
        latitude[worst_on_top],
        c=error[worst_on_top],
        s=10,
        cmap="RdBu_r",
        vmin=-most,
        vmax=most,
        edgecolors=GREY,
        linewidths=0.15,
    )
    if says.outline:
        axes.plot(*np.array([*says.outline, says.outline[0]]).T[::-1], color=GREY, linewidth=0.7)
    for place in says.places:
        axes.annotate(
            plain(place.name),
            (place.longitude, place.latitude),
            xytext=(36, 12),
            textcoords="offset points",
            ha="left",
            fontsize=9,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.7},
        )
    axes.set_aspect(1 / np.cos(np.radians(np.nanmedian(latitude))))
    axes.set(xlabel="Longitude (degrees east)", ylabel="Latitude (degrees north)")
    axes.set_title(f"Error by place, {len(test):,} held-out {description.schema().plural}")
    figure.colorbar(dots, label=with_unit("Predicted minus true", description.target.unit), extend="both", shrink=0.8)
    return figure
