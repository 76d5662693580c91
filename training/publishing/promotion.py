"""The gate: a new version goes live only if it beats the live one on the same held-out rows, by more than chance."""

from typing import NamedTuple

import pandas as pd
import xgboost

from training.errors import RegistryError
from training.fitting import scores
from training.fitting.comparison import LEVEL, Comparison, compare
from training.fitting.estimators import Values, features, no_and_yes, truth
from training.publishing import registry
from training.tables.description import Table


class Decision(NamedTuple):
    """Whether the new version becomes the champion, and why, with both figures."""

    promoted: bool
    reason: str


class Candidate(NamedTuple):
    """A new model: what it predicts for its held-out rows, and the plain model's score there."""

    description: Table
    test: pd.DataFrame
    predicted: Values
    plain: float
    """Of a linear or logistic regression: the score that decides."""

    @property
    def title(self) -> str:
        """What the score that decides is called."""
        return next(iter(scores.titles(self.description.target.kind).values()))


def judge(candidate: Candidate, *, force: bool) -> Decision:
    """Compare a new model with the registry's champion on the new model's held-out rows.

    A difference that may be chance keeps the champion: a roll-out that improves nothing is only a risk. Where there is
    no champion, the linear or logistic regression is the one to beat; so it is where the champion cannot predict these
    rows, since the table's columns or target are others now.

    Args:
        candidate: the new model.
        force: promote whatever the figures say.
    """
    version = registry.champion(candidate.description.name)
    others = None if version is None else _predictions(version, candidate)
    if others is None:
        score, plain = _score(candidate), candidate.plain
        beside = "better" if score < plain else "no better"
        before = "there was no champion" if version is None else f"champion {version} is of another table"
        promoted = score < plain
        reason = f"{candidate.title} {score:.6f}, {beside} than a plain model's {plain:.6f}; {before}"
    else:
        found = compare(candidate.test, candidate.description, candidate.predicted, others)
        promoted = found.better
        reason = (
            f"{candidate.title} {found.score:.6f} against champion {version}'s {found.other:.6f} on the same "
            f"{len(candidate.test):,} rows: {_words(found)}"
        )
    if force and not promoted:
        return Decision(True, f"{reason}; promoted by --force")
    return Decision(promoted, reason)


def crown(version: str, decision: Decision, candidate: Candidate, *, since: int, force: bool = False) -> Decision:
    """Make a promoted version champion, unless a better one was promoted while it was trained.

    MLflow cannot set an alias only if it is still what it was. So whoever crowns a version says so first, by a tag, and
    looks afterwards who else did: of two trainings that end at once the later one sees both, and whoever sees both
    leaves the better one as champion.

    Args:
        version: a registered one.
        decision: of the gate, which let it through.
        candidate: the version's model.
        since: the newest version when the training began.
        force: whatever the figures say.
    """
    name = candidate.description.name
    registry.note(name, version, registry.PROMOTED, "yes")
    registry.crown(name, version)
    if force:
        return decision
    predicted = {
        rival: _rivals_predictions(rival, candidate)
        for rival in registry.promoted_since(name, since)
        if rival != version
    }
    rivals = {rival: _mean(candidate, values) for rival, values in predicted.items() if values is not None}
    if not rivals:
        return decision
    found = {version: _score(candidate)} | rivals
    best = min(found, key=lambda each: (found[each], int(each)))
    registry.crown(name, best)  # even where this version is: the other one may have been crowned in between
    if best == version:
        return decision
    registry.unnote(name, version, registry.PROMOTED)
    reason = f"{decision.reason}; but version {best}, trained at the same time, has {found[best]:.6f}"
    registry.note(name, version, registry.REASON, reason)
    return Decision(False, reason)


def _predictions(version: str, candidate: Candidate) -> Values | None:
    """A registered version's predictions for the candidate's held-out rows; None where it is of another table."""
    description = candidate.description
    booster = registry.load(description.name, version)
    rows = features(candidate.test, description)
    if booster.feature_names is None and booster.num_features() == rows.shape[1]:
        booster.feature_names = list(rows.columns)
    try:
        predicted: Values = booster.predict(xgboost.DMatrix(rows, enable_categorical=True))
    except (ValueError, xgboost.core.XGBoostError):
        return None
    if description.target.kind == "boolean" and predicted.ndim == 1:
        predicted = no_and_yes(predicted)
    return predicted if predicted.shape == candidate.predicted.shape else None


def _rivals_predictions(version: str, candidate: Candidate) -> Values | None:
    """The same; None too where the version was taken back, its training having failed after it was crowned."""
    try:
        return _predictions(version, candidate)
    except RegistryError:
        if registry.run_of(candidate.description.name, version) is not None:
            raise
        return None


def _score(candidate: Candidate) -> float:
    return _mean(candidate, candidate.predicted)


def _mean(candidate: Candidate, predicted: Values) -> float:
    kind = candidate.description.target.kind
    losses = scores.losses(truth(candidate.test, candidate.description), predicted)
    return scores.decisive(float(losses.mean()), kind)


def _words(found: Comparison) -> str:
    if found.margin == 0:
        return "every prediction is the same, as the same data and seed give the same model"
    difference = f"{abs(found.score - found.other):.6f}"
    if found.better or found.worse:
        return f"{'better' if found.better else 'worse'} by {difference} ± {found.margin:.6f}"
    return f"the difference is within noise, {difference} ± {found.margin:.6f} at a level of {LEVEL:.0%}"
