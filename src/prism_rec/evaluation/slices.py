"""Slices: parts of the queries by history, target or missing modality, in which models differ for a reason."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from prism_rec.evaluation.intervals import Estimate, estimate_metrics
from prism_rec.evaluation.metrics import CUTOFFS

HEAD_SHARE = 0.5
"""Part of the training events that the items of the head have together."""

FEWEST_USERS = 20
"""Slices with fewer users get no interval: a bootstrap over a few users says nothing."""


@dataclass(frozen=True, eq=False)
class Slice:
    """A named part of the queries."""

    name: str
    description: str
    """Why a query is in the slice, with bounds; for a reader."""
    members: Bool[np.ndarray, "Q"]


def slice_by_history(lengths: Int64[np.ndarray, "Q"]) -> list[Slice]:
    """Divide the queries into thirds by the length of their history: short, medium, long.

    A third and two thirds of the queries have lengths up to the bounds, so the bounds depend on the data, and the
    descriptions name them. Equal lengths stay together: the thirds are uneven if there are few lengths.

    Args:
        lengths: items in each query's history.
    """
    if len(lengths) == 0:
        return []
    third, two_thirds = np.quantile(lengths, [1 / 3, 2 / 3], method="inverted_cdf")
    return [
        Slice("history:short", f"at most {third} items in the history", lengths <= third),
        Slice(
            "history:medium",
            f"{third + 1} to {two_thirds} items in the history",
            (lengths > third) & (lengths <= two_thirds),
        ),
        Slice("history:long", f"more than {two_thirds} items in the history", lengths > two_thirds),
    ]


def slice_by_popularity(
    targets: Int64[np.ndarray, "Q"], popularity: Int64[np.ndarray, "rows"]
) -> list[Slice]:
    """Divide the queries by the training events of their target: cold (none), tail, head.

    The head is the smallest set of most popular items that has at least half of the training events; items as popular
    as the last of them belong to it too.

    Args:
        targets: item row of each query's target.
        popularity: training events of each item row; row 0 (padding) has none.
    """
    falling = np.sort(popularity)[::-1]
    held = np.cumsum(falling)
    bound = max(int(falling[np.searchsorted(held, HEAD_SHARE * held[-1])]), 1)
    events = popularity[targets]
    return [
        Slice("popularity:cold", "the target has no training events", events == 0),
        Slice(
            "popularity:tail",
            f"the target has fewer than {bound} training events, but some",
            (events > 0) & (events < bound),
        ),
        Slice("popularity:head", f"the target has at least {bound} training events", events >= bound),
    ]


def slice_by_presence(
    targets: Int64[np.ndarray, "Q"], presence: Mapping[str, Bool[np.ndarray, "rows"]]
) -> list[Slice]:
    """Divide the queries, once per modality, by whether their target lacks it or has it.

    Args:
        targets: item row of each query's target.
        presence: for each modality, whether an item row has it (`FeatureTable.present`).
    """
    slices = []
    for modality, present in presence.items():
        has = present[targets]
        slices.append(Slice(f"missing:{modality}", f"the target lacks {modality}", ~has))
        slices.append(Slice(f"present:{modality}", f"the target has {modality}", has))
    return slices


def estimate_slices(
    ranks: Int64[np.ndarray, "Q"], slices: Iterable[Slice], ks: Iterable[int] = CUTOFFS, *, seed: int = 0
) -> dict[str, dict[str, Estimate]]:
    """Return each slice's accuracy metrics with intervals and counts, by slice name, then metric name.

    A slice without queries has no metrics and is left out.

    Args:
        ranks: place of each query's target in the whole catalogue, from 1.
        slices: parts of the same queries.
        ks: cutoffs.
        seed: equal seeds give equal intervals.
    """
    cutoffs = tuple(ks)
    return {
        part.name: estimate_metrics(ranks[part.members], cutoffs, seed=seed)
        for part in slices
        if part.members.any()
    }
