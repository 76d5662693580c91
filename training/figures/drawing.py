"""All figures of a run, as suit its target."""

from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from training.figures import classes, numbers
from training.figures.candidates import candidates
from training.figures.importance import feature_importance
from training.figures.style import STYLE
from training.fitting.estimators import Values
from training.tables.description import Table


def draw(
    model: Any, test: pd.DataFrame, predicted: Values, results: pd.DataFrame, description: Table, seed: int
) -> dict[str, Figure]:
    """All figures of a run, by file name.

    Args:
        model: the best model.
        test: the held-out rows.
        predicted: the model's prediction for each of them.
        results: the search's table, best candidate first.
        description: of the table.
        seed: of the permutations.
    """
    kind = numbers if description.target.kind == "number" else classes
    with mpl.rc_context(STYLE):
        return {
            "feature_importance.png": feature_importance(model, test, description, seed),
            **kind.draw(test, predicted, description),
            "candidates.png": candidates(results, description),
        }
