"""Bootstrap intervals over users: how far a mean would move with other users of the same kind."""

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
    """How many queries, one a user, the mean is over."""


def estimate(
    values: Float64[np.ndarray, "Q"], *, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Estimate:
    """Return the mean of per-user values with its percentile bootstrap interval.

    For two models on the same users pass the differences: the interval is then that of the paired bootstrap.
    Values that are all equal give an interval of width zero, which says nothing about other users.

    Args:
        values: one value a user, finite.
        level: share of the resampled means that lies inside.
        resamples: how many means are drawn.
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
