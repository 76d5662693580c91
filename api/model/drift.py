"""How far a column's distribution has moved: the population stability index of two vectors of shares."""

import numpy as np
import numpy.typing as npt

SMALLEST_SHARE = 1e-4
"""What an empty bin counts as, since the logarithm of nothing is infinite: a tenth of a row in a thousand."""

ROWS_A_BIN = 50
FEWEST_ROWS = 500


def population_stability_index(expected: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """The sum over bins of (actual - expected) · ln(actual / expected); 0 where both are the same, and always finite.

    Both are shares of the same bins, in the same order, and each sums to 1. Shares below `SMALLEST_SHARE` count as
    that, in both vectors, and are not scaled again. By custom below 0.1 is no change, and 0.2 or more one to act upon.

    The index is Jeffreys' divergence (Kullback and Leibler, On Information and Sufficiency, 1951), named so in credit
    scoring (Siddiqi, Credit Risk Scorecards, 2006).

    Raises:
        ValueError: the vectors have different lengths.
    """
    before, now = (np.maximum(np.asarray(shares, np.float64), SMALLEST_SHARE) for shares in (expected, actual))
    if before.shape != now.shape:
        raise ValueError(f"shares of {before.size} bins cannot be compared with shares of {now.size}")
    return float(np.sum((now - before) * np.log(now / before)))


def rows_needed(bins: int) -> int:
    """The rows that make an index of so many bins worth looking at.

    Without any drift the index of n rows is about (bins - 1) / n, as n times it follows the chi-squared distribution
    with that many degrees of freedom (Yurdakul and Naranjo, Statistical properties of the population stability index,
    2020, for training rows far more than n). With this many rows it is at most 0.02, a tenth of the usual threshold.
    """
    return max(FEWEST_ROWS, ROWS_A_BIN * (bins - 1))
