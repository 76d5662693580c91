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
    champion_rmse = _rmse(version, test)
    figures = f"RMSE {rmse:.6f} against champion {version}'s {champion_rmse:.6f} on the same {len(test):,} rows"
    if rmse < champion_rmse:
        return Decision(True, f"{figures}: better")
    return Decision(force, f"{figures}: not better{', promoted by --force' if force else ''}")


def crown(version: str, decision: Decision, rmse: float, test: pd.DataFrame, *, since: int) -> Decision:
    """Make a promoted version champion, unless a better one was promoted while it was trained.

    MLflow cannot set an alias only if it is still what it was. So whoever crowns a version says so first, by a tag, and
    looks afterwards who else did: of two trainings that end at once the later one sees both, and whoever sees both
    leaves the better one as champion.

    Args:
        version: a registered one.
        decision: of the gate, which let it through.
        rmse: its error on `test`.
        test: all held-out rows.
        since: the newest version when the training began.
    """
    registry.note(version, registry.PROMOTED, "yes")
    registry.crown(version)
    rivals = {rival: _rmse(rival, test) for rival in registry.promoted_since(since) if rival != version}
    if not rivals:
        return decision
    errors = {version: rmse} | rivals
    best = min(errors, key=lambda each: (errors[each], int(each)))
    registry.crown(best)  # even where this version is: the other one may have been crowned in between
    if best == version:
        return decision
    registry.unnote(version, registry.PROMOTED)
    reason = f"{decision.reason}; but version {best}, trained at the same time, has {errors[best]:.6f}"
    registry.note(version, registry.REASON, reason)
    return Decision(False, reason)


def _rmse(version: str, test: pd.DataFrame) -> float:
    predicted = registry.load(version).predict(xgboost.DMatrix(test[list(FEATURES)]))
    return score(test[TARGET], predicted).rmse
