"""Is the difference between two models more than chance? Paired tests, and corrections for many tests.

Each test takes two aligned arrays (one value per user, or one value per seed) and returns a two-sided p-value.
The size of the difference and its interval: `intervals.estimate(first - second)`.
"""

import numpy as np
from jaxtyping import Float64
from scipy import stats

from prism_rec.evaluation.resampling import sign_flip_means

_ROUNDING = 1e-12  # resampled sums add the same numbers in another order; equal sums must count as equal


def permutation_test(
    first: Float64[np.ndarray, "Q"],
    second: Float64[np.ndarray, "Q"],
    *,
    permutations: int = 10_000,
    seed: int = 0,
) -> float:
    """Test over users whether it matters which model gave which of a user's two values.

    Swaps each user's two values at random. The observed assignment counts as one of the permutations, so the
    smallest p-value is 1 / (permutations + 1).

    Raises:
        ValueError: the arrays differ in length or are empty.

    Source: Fisher's paired randomisation test; for retrieval, Smucker, Allan and Carterette, CIKM 2007.
    """
    differences = _differences(first, second, at_least=1)
    means = sign_flip_means(differences, permutations, seed)
    bound = abs(differences.mean()) - _ROUNDING * np.abs(differences).mean()
    return float((1 + np.count_nonzero(np.abs(means) >= bound)) / (1 + len(means)))


def t_test(first: Float64[np.ndarray, "S"], second: Float64[np.ndarray, "S"]) -> float:
    """Test over S seeds whether the mean difference is zero, by Student's paired t-test.

    If all seeds differ by the same amount, the spread is unknown: the result is then 1 (nothing shown).

    Raises:
        ValueError: the arrays differ in length or hold fewer than two seeds.
    """
    differences = _differences(first, second, at_least=2)
    if np.ptp(differences) <= _ROUNDING * np.abs(differences).max():
        return 1.0
    return float(stats.ttest_1samp(differences, 0.0).pvalue)


def holm(p_values: Float64[np.ndarray, "T"]) -> Float64[np.ndarray, "T"]:
    """Adjust the p-values of T tests so that the chance of any false finding stays below a chosen level.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    order = np.argsort(p_values)
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def benjamini_hochberg(p_values: Float64[np.ndarray, "T"]) -> Float64[np.ndarray, "T"]:
    """Adjust the p-values of T tests so that the expected share of false findings stays below a chosen level.

    Source: Benjamini and Hochberg, "Controlling the false discovery rate", 1995.
    """
    return np.asarray(stats.false_discovery_control(p_values, method="bh"))


def _differences(
    first: Float64[np.ndarray, "..."], second: Float64[np.ndarray, "..."], at_least: int
) -> Float64[np.ndarray, "..."]:
    if first.shape != second.shape:
        raise ValueError(f"paired values must be aligned, but there are {len(first)} and {len(second)}")
    if len(first) < at_least:
        raise ValueError(f"a paired test needs at least {at_least} pairs, but there are {len(first)}")
    return np.asarray(first - second)
