"""Whether a difference between two models is more than chance."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from tests.california import TABLE, TARGET
from training.fitting.comparison import LEVEL, compare

ROWS = 1_000


def rows(seed: int = 0) -> pd.DataFrame:
    """Held-out rows, each another."""
    random = np.random.default_rng(seed)
    return pd.DataFrame({"feature": np.arange(ROWS, dtype=float), TARGET: random.uniform(0, 5, ROWS)})


def guesses(table: pd.DataFrame, spread: float, seed: int) -> np.ndarray:
    """Predictions with errors of this standard deviation."""
    return table[TARGET].to_numpy() + np.random.default_rng(seed).normal(0, spread, len(table))


def test_it_is_the_paired_t_test() -> None:
    """The verdict is that of scipy's paired t-test over the squared errors, whichever side of the level it falls on."""
    table = rows()
    for spread in np.linspace(0.45, 0.55, 21):
        one, other = guesses(table, spread, 1), guesses(table, 0.5, 2)
        found = compare(table, TABLE, one, other)
        tested = ttest_rel((one - table[TARGET]) ** 2, (other - table[TARGET]) ** 2)
        assert (found.better or found.worse) == (tested.pvalue < LEVEL)
        assert found.better == (tested.pvalue < LEVEL and tested.statistic < 0)


def test_equally_good_models_are_seldom_told_apart() -> None:
    """Of pairs of models that differ by chance alone, about one in twenty is called different, as the level says."""
    found = [
        compare(table, TABLE, guesses(table, 0.5, 2 * seed), guesses(table, 0.5, 2 * seed + 1))
        for seed, table in ((seed, rows(seed)) for seed in range(1, 401))
    ]
    assert np.mean([one.better or one.worse for one in found]) == pytest.approx(LEVEL, abs=0.02)


def test_repeated_rows_prove_nothing() -> None:
    """Rows that are there twenty times over leave errors and margin what they were: they are no new evidence."""
    table = rows()
    one, other = guesses(table, 0.5, 1), guesses(table, 0.49, 2)
    whole = compare(table, TABLE, one, other)
    repeated = compare(pd.concat([table] * 20), TABLE, np.tile(one, 20), np.tile(other, 20))
    assert repeated == pytest.approx(whole)


def test_the_same_predictions() -> None:
    """Two models that predict the same differ by nothing, for certain."""
    table = rows()
    found = compare(table, TABLE, guesses(table, 0.5, 1), guesses(table, 0.5, 1))
    assert (found.score, found.margin) == (found.other, 0.0)
    assert not found.better
    assert not found.worse
