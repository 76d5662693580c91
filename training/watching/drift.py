"""Whether captured rows are still like the training rows, and whether to retrain."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from api.model.drift import population_stability_index, rows_needed
from api.store.manifest import PREDICTIONS, Manifest, Shares
from api.store.schema import Feature, Target
from training.errors import DataError
from training.watching.captured import PREDICTION, PROBABILITY, TIME
from training.watching.truth import Live

MOVED = 0.2
"""From here on a population stability index is taken for a shift that a model is to be looked at for (Siddiqi, Credit
Risk Scorecards, 2006); the stack's alarm has the same threshold."""

BY_CHANCE = 1e-6
"""How seldom the index of an undrifted column may pass for a shift: once in a million columns that are looked at."""

MOST_EXTRAPOLATED = 0.05
"""Of the rows, in one feature: two in n + 1 lie outside n training rows by chance, and trees answer them with the value
at the edge, which the index of deciles does not see."""

LEVEL = 0.01
"""Of the tests whether live figures are worse than the card's by more than chance."""

FEWEST_TRUE = 100
"""Rows with their truth; figures of fewer are shown, but nothing follows from them."""

WORSE = 1.05
"""Times the card's error: what is less is a difference that nobody acts upon, however surely it is there."""

FEWER_HELD = 0.02
"""Below the card's coverage, likewise."""


class Column(NamedTuple):
    """How far a feature, or the predictions, have moved."""

    name: str
    """`PREDICTIONS` for the predictions."""
    expected: Shares
    actual: list[float]
    """The captured rows' shares of the same bins."""
    psi: float
    """The population stability index."""
    limit: float | None
    """What the index must reach to count as a shift; None where there are too few rows to tell."""
    missing: float
    """Share of the rows without a value, or with a category that the model does not know."""
    extrapolated: float
    """Share of the rows whose value lies outside the training rows' range."""

    @property
    def moved(self) -> bool:
        """Whether the column has another distribution than in training."""
        return self.limit is not None and self.psi >= self.limit


class Comparison(NamedTuple):
    """Captured rows of one version beside what that version was trained on, and beside its card's figures."""

    manifest: Manifest
    rows: int
    first: datetime
    last: datetime
    columns: list[Column]
    live: Live | None
    """None where no true values were given."""

    @property
    def enough(self) -> bool:
        """Whether there are so many rows that drift could be told from chance in any column."""
        return any(column.limit is not None for column in self.columns)

    @property
    def judged(self) -> bool:
        """Whether there are so many true values that something follows from the live figures."""
        return self.live is not None and self.live.rows >= FEWEST_TRUE

    @property
    def reasons(self) -> list[str]:
        """Why to retrain, a sentence each; none where nothing speaks for it."""
        worse = [*_less_true(self.live, self.manifest)] if self.live and self.judged else []
        return [*_shifts(self.columns), *worse]


def compare(captured: pd.DataFrame, manifest: Manifest, live: Live | None = None) -> Comparison:
    """Hold captured rows, at least one, against the training rows of the model that the manifest is of.

    Raises:
        DataError: the manifest does not say how the training rows were distributed, or the rows lack a feature.
    """
    if not manifest.distribution:
        raise DataError(
            f"Version {manifest.model_version} does not say how its training rows were distributed: an older "
            "program published it. Train and publish again."
        )
    if missing := [name for name in manifest.schema.names if name not in captured]:
        raise DataError(
            f"The captured rows lack {missing[0]}, a feature of version {manifest.model_version}: give `captured` the "
            "--table that this version was trained with."
        )
    pairs = [*((feature, feature.name) for feature in manifest.schema.features), _predictions(manifest.schema.target)]
    columns = [
        _column(feature, captured[name], manifest.distribution[feature.name], manifest.ranges.get(feature.name))
        for feature, name in pairs
    ]
    times = captured[TIME]
    return Comparison(manifest, len(captured), times.min(), times.max(), columns, live)


def _predictions(target: Target) -> tuple[Feature, str]:
    """The predictions as a feature, and the column that has them: numbers, the probability of yes, or labels."""
    if target.kind == "category":
        return Feature(name=PREDICTIONS, kind="category", categories=target.classes), PREDICTION
    return Feature(name=PREDICTIONS), PREDICTION if target.kind == "number" else f"{PROBABILITY}{target.classes[1]}"


def _column(feature: Feature, values: pd.Series, expected: Shares, seen: tuple[float, float] | None) -> Column:
    bins = _bins(feature, values, expected)
    known = bins[bins >= 0]
    actual = np.bincount(known, minlength=len(expected.shares)) / max(len(known), 1)
    psi = population_stability_index(expected.shares, actual) if len(known) else 0.0
    outside = 0.0
    if seen is not None:
        low, high = np.array(seen, np.float32)
        numbers = values.to_numpy("float32")
        outside = float(((numbers < low) | (numbers > high)).mean())
    return Column(
        feature.name, expected, actual.tolist(), psi, _limit(len(known), expected), float((bins < 0).mean()), outside
    )


def _bins(feature: Feature, values: pd.Series, expected: Shares) -> npt.NDArray[np.intp]:
    """The bin of each value, -1 where it has none."""
    if feature.kind == "category":
        return pd.Index(feature.categories).get_indexer(pd.Index(values))
    # As the model has them: what came rounded so would else lie beside the edge that it is equal to.
    numbers = values.to_numpy("float32", na_value=np.nan)
    edges = np.array(expected.edges, np.float32)
    places = numbers if feature.kind == "boolean" else np.searchsorted(edges, numbers, side="right")
    return np.where(np.isnan(numbers), -1, places).astype(np.intp)


def _limit(rows: int, expected: Shares) -> float | None:
    """The usual threshold; more where the training rows were so few that their own shares are a matter of chance.

    Without drift the index follows the chi-squared distribution with a degree of freedom for each bin but one, times
    1/n + 1/m for samples of n and m rows (Yurdakul and Naranjo, Statistical properties of the population stability
    index, 2020).
    """
    bins = len(expected.shares)
    if rows < rows_needed(bins):
        return None
    spread = 1 / rows + (1 / expected.rows if expected.rows else 0)
    return max(MOVED, float(stats.chi2.isf(BY_CHANCE, max(bins - 1, 1))) * spread)


def _shifts(columns: Sequence[Column]) -> Iterator[str]:
    for column in sorted(columns, key=lambda column: -column.psi):
        what = "the predictions have" if column.name == PREDICTIONS else f"{column.name} has"
        if column.moved:
            yield f"{what} moved: population stability index {column.psi:.3f}, limit {column.limit:.3f}"
        if column.limit is not None and column.extrapolated > MOST_EXTRAPOLATED:
            yield (
                f"{column.name} lies outside the training rows in {column.extrapolated:.1%} of the rows, "
                f"limit {MOST_EXTRAPOLATED:.0%}"
            )


def _less_true(live: Live, manifest: Manifest) -> Iterator[str]:
    number = manifest.schema.target.kind == "number"
    score, title = ("test_rmse", "RMSE") if number else ("test_log_loss", "log loss")
    if (card := manifest.metrics.get(score)) is not None:
        expected = card**2 if number else card
        chance = stats.ttest_1samp(live.losses, expected, alternative="greater").pvalue
        if chance < LEVEL and live.metrics[score] > WORSE * card:
            yield f"the live {title} is {live.metrics[score]:.4f}, the card's {card:.4f} (p = {chance:.2g})"
    cover, what = ("interval_coverage", "intervals") if number else ("set_coverage", "sets")
    if (card := manifest.metrics.get(cover)) is not None and len(live.held):
        chance = stats.binomtest(int(live.held.sum()), len(live.held), min(card, 1.0), alternative="less").pvalue
        held = live.metrics[cover]
        if chance < LEVEL and held < card - FEWER_HELD:
            yield f"the {what} hold {held:.1%} of the true values, {card:.1%} by the card (p = {chance:.2g})"
