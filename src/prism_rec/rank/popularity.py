"""The catalogue by popularity: the baseline without a model."""

import numpy as np

from prism_rec.data.histories import Histories
from prism_rec.rank.ranker import Ranks
from prism_rec.rank.seen import NEVER, Seen


class PopularityRanker:
    """Ranks items by the number of their training events, the same for every user; ties by item number.

    Args:
        training: training histories; items that are not in them come last.
        number_of_items: N.
        seen: whether the items of a history are candidates.
    """

    def __init__(self, training: Histories, number_of_items: int, seen: Seen = "remove") -> None:
        self.seen = seen
        events_N = training.counts(number_of_items)[1:]
        self.order_N = np.argsort(-events_N, kind="stable") + 1  # item rows, the most popular first
        self.place_N = np.full(number_of_items + 1, number_of_items)  # place in that order; padding is last
        self.place_N[self.order_N] = np.arange(number_of_items)

    def rank(self, histories: Histories, targets: np.ndarray, k: int = 0) -> Ranks:
        """Rank each history's target among the candidates, as `Ranker.rank` does.

        Args:
            histories: Q histories.
            targets: int64 [Q].
            k: number of best items to return as well; 0 in the list means that no item is left.
        """
        ranks = np.empty(len(histories), np.int64)
        top = np.zeros((len(histories), k), np.int64)
        for question, target in enumerate(targets):
            removed = np.unique(histories[question]) if self.seen == "remove" else np.zeros(0, np.int64)
            ahead = self.place_N[removed] < self.place_N[target]
            place = self.place_N[target] - np.count_nonzero(ahead) + 1
            ranks[question] = NEVER if target in removed else place
            first = self.order_N[: k + len(removed)]
            best = first[~np.isin(first, removed)][:k]
            top[question, : len(best)] = best
        return Ranks(ranks, top)
