"""Metrics: from the targets' ranks (accuracy) and from the recommended lists (beyond accuracy).

Shapes: Q queries, K places of a list, N items of the catalogue. Ranks count from 1; a query has one target.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Float64, Int64

from prism_rec.errors import DataError

CUTOFFS = (5, 10, 20, 50)

Metric = Callable[[Int64[np.ndarray, "Q"], int], Float64[np.ndarray, "Q"]]


def recall(ranks: Int64[np.ndarray, "Q"], k: int) -> Float64[np.ndarray, "Q"]:
    """Return per query 1 if its target is among the first k, else 0; with one target this is the hit rate."""
    return (ranks <= k).astype(np.float64)


def ndcg(ranks: Int64[np.ndarray, "Q"], k: int) -> Float64[np.ndarray, "Q"]:
    """Return per query 1 / log2(rank + 1), or 0 beyond place k; with one target the ideal gain is 1.

    Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002.
    """
    return np.where(ranks <= k, 1.0 / np.log2(ranks + 1.0), 0.0)


def mrr(ranks: Int64[np.ndarray, "Q"], k: int) -> Float64[np.ndarray, "Q"]:
    """Return per query 1 / rank, or 0 beyond place k."""
    return np.where(ranks <= k, 1.0 / ranks, 0.0)


METRICS: Mapping[str, Metric] = MappingProxyType({"recall": recall, "ndcg": ndcg, "mrr": mrr})
"""The accuracy metrics by name: `METRICS["ndcg"](ranks, 10)` is one value per query."""

ACCURACY_NAMES = tuple(f"{name}@{k}" for name in METRICS for k in CUTOFFS)
"""The metrics that `accuracy` returns by default."""

ACCURACY_PATTERN = f"^({'|'.join(ACCURACY_NAMES)})$"
"""The pattern of a setting that names one of them."""


def accuracy(ranks: Int64[np.ndarray, "Q"], ks: Iterable[int] = CUTOFFS) -> dict[str, float]:
    """Return the mean of every accuracy metric at every cutoff, as `{"recall@5": 0.061, ...}`."""
    return {f"{name}@{k}": float(metric(ranks, k).mean()) for name, metric in METRICS.items() for k in ks}


def exposure(top: Int64[np.ndarray, "Q K"], k: int, number_of_items: int) -> Int64[np.ndarray, "N"]:
    """Count how often each item of the catalogue is among the first k of a list.

    Args:
        top: item rows 1..N in the order of recommendation; 0 after the end of a short list.
        k: places of each list that count.
        number_of_items: N.

    Raises:
        ValueError: the lists are shorter than k, so that the count would be that of a smaller k.
    """
    if top.shape[1] < k:
        raise ValueError(f"the lists hold {top.shape[1]} places; the first {k} are needed")
    return np.bincount(top[:, :k].ravel(), minlength=number_of_items + 1)[1:]


def coverage(exposures: Int64[np.ndarray, "N"]) -> float:
    """Return the part of the catalogue that is recommended to at least one user."""
    return float(np.mean(exposures > 0))


def gini(exposures: Int64[np.ndarray, "N"]) -> float:
    """Return how unequally items are recommended: 0 if all equally often, 1 - 1/N if one item takes every place.

    Items never recommended count, with zero exposure. At least one item must be recommended.

    Source: the Gini coefficient of sorted values, sum_i (2 i - N - 1) x_i / (N sum_i x_i).
    """
    number = len(exposures)
    weights = 2.0 * np.arange(1, number + 1) - number - 1
    return float(weights @ np.sort(exposures) / (number * exposures.sum()))


def novelty(exposures: Int64[np.ndarray, "N"], popularity: Int64[np.ndarray, "N"]) -> float:
    """Return the mean self-information of the recommended items in bits: the rarer in training, the higher.

    The self-information of an item is -log2 of its share of the training events. An item without training events would
    be infinitely novel; it counts as if it had one event. At least one item must be recommended.

    Source: Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems", PNAS 2010,
    with shares of events instead of shares of users.
    """
    events = max(int(popularity.sum()), 1)
    information = np.log2(events / np.maximum(popularity, 1))
    return float(exposures @ information / exposures.sum())


def summarise(
    ranks: Int64[np.ndarray, "Q"],
    top: Int64[np.ndarray, "Q K"],
    popularity: Int64[np.ndarray, "rows"],
    number_of_items: int,
    ks: Iterable[int] = CUTOFFS,
) -> dict[str, float]:
    """Return every metric at every cutoff, averaged over the queries, as `{"recall@10": 0.097, ...}`.

    Args:
        ranks: place of each query's target in the whole catalogue, from 1.
        top: each query's best items, in order; 0 if no item is left.
        popularity: training events of each item row; N + 1 numbers, of which the first (padding) is ignored.
        number_of_items: N.
        ks: cutoffs, none beyond K.

    Raises:
        DataError: there is no query to average over.
        ValueError: `popularity` does not have N + 1 rows, or a cutoff is beyond K.
    """
    if len(ranks) == 0:
        raise DataError("there is no query to evaluate; keep users with enough events to be split")
    if len(popularity) != number_of_items + 1:
        raise ValueError(
            f"popularity has {len(popularity)} rows; {number_of_items + 1} are needed (row 0: padding)"
        )
    summary: dict[str, float] = {}
    for k in ks:
        summary |= accuracy(ranks, [k])
        exposures = exposure(top, k, number_of_items)
        summary[f"coverage@{k}"] = coverage(exposures)
        summary[f"gini@{k}"] = gini(exposures)
        summary[f"novelty@{k}"] = novelty(exposures, popularity[1:])
    return summary
