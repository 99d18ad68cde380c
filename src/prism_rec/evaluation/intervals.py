"""Bootstrap intervals over users: how much a mean would change with other users of the same kind."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from prism_rec.evaluation.metrics import CUTOFFS, METRICS
from prism_rec.evaluation.resampling import bootstrap_means


@dataclass(frozen=True)
class Estimate:
    """A mean over users with its interval."""

    mean: float
    low: float
    high: float
    queries: int
    """Number of queries in the mean, one per user."""


def estimate(
    values: Float64[np.ndarray, "Q"], *, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Estimate:
    """Return the mean of per-user values with its percentile bootstrap interval.

    For two models on the same users, pass the differences: the interval is then that of the paired bootstrap. If all
    values are equal, the interval has width zero and says nothing about other users.

    Args:
        values: one finite value per user.
        level: part of the resampled means inside the interval.
        resamples: number of means drawn.
        seed: equal seeds give equal intervals.

    Raises:
        ValueError: there are no values.

    Source: Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 1979.
    """
    if len(values) == 0:
        raise ValueError("no values to estimate a mean from")
    means = bootstrap_means(values, resamples, seed)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def estimate_metrics(
    ranks: Int64[np.ndarray, "Q"], ks: Iterable[int] = CUTOFFS, *, seed: int = 0
) -> dict[str, Estimate]:
    """Return every accuracy metric at every cutoff with its 95 % interval, by names such as `recall@10`.

    Args:
        ranks: place of each query's target in the whole catalogue, from 1; at least one query.
        ks: cutoffs.
        seed: equal seeds give equal intervals.

    Raises:
        ValueError: there is no query.
    """
    return {
        f"{name}@{k}": estimate(metric(ranks, k), seed=seed) for k in ks for name, metric in METRICS.items()
    }
