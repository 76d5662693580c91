"""The gate: a new version goes live only if it beats the live one on the same held-out rows, by more than chance."""

from typing import NamedTuple

import pandas as pd
import xgboost

from api.model.schema import FEATURES, TARGET
from training.fitting.comparison import LEVEL, Comparison, compare
from training.fitting.evaluation import Values, score
from training.publishing import registry


class Decision(NamedTuple):
    """Whether the new version becomes the champion, and why, with both figures."""

    promoted: bool
    reason: str


def judge(predicted: Values, test: pd.DataFrame, *, linear_rmse: float, force: bool) -> Decision:
    """Compare a new model with the registry's champion on the new model's held-out rows.

    A difference that may be chance keeps the champion: a roll-out that improves nothing is only a risk. Where there is
    no champion, the linear regression is the one to beat.

    Args:
        predicted: the new model's predictions for `test`.
        test: all held-out rows.
        linear_rmse: the linear regression's error on them.
        force: promote whatever the figures say.
    """
    version = registry.champion()
    if version is None:
        rmse = score(test[TARGET], predicted).rmse
        promoted = rmse < linear_rmse
        beside = "better" if promoted else "no better"
        reason = f"RMSE {rmse:.6f}, {beside} than a linear regression's {linear_rmse:.6f}; there was no champion"
    else:
        others = registry.load(version).predict(xgboost.DMatrix(test[list(FEATURES)]))
        found = compare(test, predicted, others)
        promoted = found.better
        reason = (
            f"RMSE {found.rmse:.6f} against champion {version}'s {found.other:.6f} on the same {len(test):,} rows: "
            f"{_words(found)}"
        )
    if force and not promoted:
        return Decision(True, f"{reason}; promoted by --force")
    return Decision(promoted, reason)


def _words(found: Comparison) -> str:
    if found.margin == 0:
        return "every prediction is the same, as the same data and seed give the same model"
    difference = f"{abs(found.rmse - found.other):.6f}"
    if found.better or found.worse:
        return f"{'better' if found.better else 'worse'} by {difference} ± {found.margin:.6f}"
    return f"the difference is within noise, {difference} ± {found.margin:.6f} at a level of {LEVEL:.0%}"
