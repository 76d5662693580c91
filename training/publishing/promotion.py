"""The gate: a new version goes live only if it beats the live one on the same held-out rows."""

from typing import NamedTuple

import pandas as pd
import xgboost

from api.model.schema import FEATURES, TARGET
from training.fitting.evaluation import score
from training.publishing import registry


class Decision(NamedTuple):
    """Whether the new version becomes the champion, and why, with both figures."""

    promoted: bool
    reason: str


def judge(rmse: float, test: pd.DataFrame, *, force: bool) -> Decision:
    """Compare a new model with the registry's champion on the new model's held-out rows.

    A tie keeps the champion: a roll-out that improves nothing is only a risk.

    Args:
        rmse: the new model's error on `test`.
        test: all held-out rows.
        force: promote whatever the figures say.
    """
    version = registry.champion()
    if version is None:
        return Decision(True, f"RMSE {rmse:.6f}; there was no champion")
    predicted = registry.load(version).predict(xgboost.DMatrix(test[list(FEATURES)]))
    champion_rmse = score(test[TARGET], predicted).rmse
    figures = f"RMSE {rmse:.6f} against champion {version}'s {champion_rmse:.6f} on the same {len(test):,} rows"
    if rmse < champion_rmse:
        return Decision(True, f"{figures}: better")
    return Decision(force, f"{figures}: not better{', promoted by --force' if force else ''}")
