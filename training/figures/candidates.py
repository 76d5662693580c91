"""What the search tried."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from training.figures.style import GREY, ORANGE, new_figure, with_unit
from training.tables.description import Table


def candidates(results: pd.DataFrame, description: Table) -> Figure:
    """Every candidate's cross-validated score, best first, with the spread over the folds."""
    figure = new_figure(9, 1.6 + 0.3 * len(results))
    axes = figure.subplots()
    parameters = [name for name in results.columns if name.startswith("param_")]
    labels = [
        "  ".join(f"{name.removeprefix('param_')} {_shown(row[name]):<4}" for name in parameters)
        for row in results[parameters].to_dict("records")
    ]
    place = np.arange(len(results))
    axes.errorbar(results["score"], place, xerr=results["score_std"], fmt="o", color=GREY, capsize=3, zorder=2)
    axes.plot(results["score"].iloc[0], 0, "o", color=ORANGE, label="chosen", zorder=3)
    axes.set_yticks(place, labels, fontsize=8, family="monospace")
    axes.invert_yaxis()
    number = description.target.kind == "number"
    rmse = with_unit("Cross-validated RMSE", description.target.unit)
    axes.set(xlabel=rmse if number else "Cross-validated log loss")
    figure.suptitle(
        f"The {len(results)} candidates of the search; bars are one standard deviation over the folds",
        x=0.01,
        ha="left",
    )
    axes.legend(loc="upper right", frameon=False)
    return figure


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"
