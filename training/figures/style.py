"""How all figures look."""

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#2b6cb0", "#dd6b20", "#718096"
SHADES = LinearSegmentedColormap.from_list("shades", mpl.colormaps["Blues"](np.linspace(0.3, 1, 256)))
"""Blues without its palest third, in which a single row would not be seen on white."""

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

LONGEST_NAME = 40


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def plain(text: str) -> str:
    """A name as matplotlib draws it as it is, cut short: it takes text between dollars for a formula."""
    short = text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 3]}..."
    return short.replace("$", r"\$")


def with_unit(text: str, unit: str) -> str:
    """An axis' label."""
    return f"{plain(text)} ({plain(unit)})" if unit else plain(text)
