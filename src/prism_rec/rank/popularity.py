"""The catalogue by popularity: the baseline without a model."""

import numpy as np

from prism_rec.data.histories import Histories
from prism_rec.rank.ranker import Ranks


class PopularityRanker:
    """Ranks items by the number of their training events, the same for every user; ties by item number.

    Args:
        training: training histories; items that are not in them come last.
        number_of_items: N.
    """

    def __init__(self, training: Histories, number_of_items: int) -> None:
        events_N = training.counts(number_of_items)[1:]
        self.order_N = np.argsort(-events_N, kind="stable") + 1  # item rows, the most popular first
        self.place_N = np.full(number_of_items + 1, number_of_items)  # place in that order; padding is last
        self.place_N[self.order_N] = np.arange(number_of_items)

    def rank(self, histories: Histories, targets: np.ndarray, k: int = 0) -> Ranks:
        """Rank each history's target among all items except those of the history.

        A target that is in its own history stays a candidate, as in `Ranker.rank`.

        Args:
            histories: Q histories.
            targets: int64 [Q].
            k: number of best items to return as well; 0 in the list means that no item is left.
        """
        ranks = np.empty(len(histories), np.int64)
        top = np.zeros((len(histories), k), np.int64)
        for question, target in enumerate(targets):
            seen = np.unique(histories[question])
            seen = seen[seen != target]
            ahead = self.place_N[seen] < self.place_N[target]
            ranks[question] = self.place_N[target] - np.count_nonzero(ahead) + 1
            first = self.order_N[: k + len(seen)]
            best = first[~np.isin(first, seen)][:k]
            top[question, : len(best)] = best
        return Ranks(ranks, top)
