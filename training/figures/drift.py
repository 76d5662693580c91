"""How far captured rows are from the training rows."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from api.store.manifest import PREDICTIONS
from api.store.schema import Schema
from training.figures.style import BLUE, GREY, ORANGE, STYLE, new_figure, plain
from training.watching.drift import MOVED, Column

MOST_BARS = 30
MOST_SHOWN = 12
"""Columns whose bins are drawn, those that moved furthest."""
MOST_LABELS = 12

_ACROSS = 3


def draw(columns: Sequence[Column], schema: Schema) -> dict[str, Figure]:
    """The figures of a comparison, by file name."""
    furthest = sorted(columns, key=lambda column: -column.psi)
    with mpl.rc_context(STYLE):
        return {"index.png": _indices(furthest[:MOST_BARS]), "bins.png": _bins(furthest[:MOST_SHOWN], schema)}


def title(column: Column) -> str:
    """What a column is called."""
    return "predictions" if column.name == PREDICTIONS else column.name


def _indices(columns: Sequence[Column]) -> Figure:
    figure = new_figure(8, 1.4 + 0.3 * len(columns))
    axes = figure.subplots()
    places = np.arange(len(columns))
    colours = [ORANGE if column.moved else BLUE for column in columns]
    axes.barh(places, [column.psi for column in columns], color=colours)
    axes.set_yticks(places, [plain(title(column)) for column in columns])
    axes.invert_yaxis()
    axes.axvline(MOVED, color=GREY, linestyle="--", linewidth=1)
    axes.grid(visible=False, axis="y")
    axes.set(xlabel=f"Population stability index; dashed: {MOVED:g}")
    axes.set_title("How far each column has moved")
    return figure


def _bins(columns: Sequence[Column], schema: Schema) -> Figure:
    across = min(_ACROSS, len(columns))
    down = -(-len(columns) // across)
    figure = new_figure(4 * across, 2.6 * down + 0.5)
    categories = {feature.name: feature.categories for feature in schema.features} | {
        PREDICTIONS: schema.target.classes
    }
    grid = figure.subplots(down, across, squeeze=False).ravel()
    for axes, column in zip(grid, columns, strict=False):
        _column(axes, column, categories[column.name] or ("no", "yes"))
    for axes in grid[len(columns) :]:
        axes.set_axis_off()
    grid[0].legend(frameon=False, fontsize=8)
    figure.suptitle("Share of the rows in each bin of the training rows", x=0.01, ha="left")
    return figure


def _column(axes: Axes, column: Column, categories: Sequence[str]) -> None:
    places, edges = np.arange(len(column.actual)), column.expected.edges
    axes.bar(places - 0.2, column.expected.shares, 0.4, color=GREY, label="training")
    axes.bar(places + 0.2, column.actual, 0.4, color=ORANGE if column.moved else BLUE, label="captured")
    axes.grid(visible=False, axis="x")
    axes.set_title(f"{plain(title(column))}, {column.psi:.3f}", fontsize=10)
    if edges:
        axes.set_xticks(np.arange(len(edges)) + 0.5, [f"{edge:.4g}" for edge in edges], fontsize=7, rotation=45)
    elif len(places) == len(categories) <= MOST_LABELS:
        axes.set_xticks(places, [plain(name) for name in categories], fontsize=7, rotation=45)
    else:
        axes.set_xticks([])
