"""The catalogue by popularity: the baseline without a model."""

import numpy as np

from prism_rec.data.histories import Histories
from prism_rec.rank.ranker import Ranks
from prism_rec.rank.seen import NEVER, Seen


class PopularityRanker:
    """Ranks items by the number of their training events, the same for every user; ties by item number.

    If the candidates are given, ties are in an order that is drawn for each question, always the same: items that
    appear after training all tie, and their numbers follow the log, which says who had them.

    Args:
        training: training histories; items that are not in them come last.
        number_of_items: N.
        seen: whether the items of a history are candidates.
    """

    def __init__(self, training: Histories, number_of_items: int, seen: Seen = "remove") -> None:
        self.seen = seen
        self.events_N = training.counts(number_of_items)

    def rank(
        self, histories: Histories, targets: np.ndarray, k: int = 0, candidates: np.ndarray | None = None
    ) -> Ranks:
        """Rank each history's target among the candidates, as `Ranker.rank` does.

        Args:
            histories: Q histories.
            targets: int64 [Q].
            k: number of best items to return as well; 0 in the list means that no item is left.
            candidates: the catalogue rows that are ranked; None: every item.
        """
        random = None if candidates is None else np.random.default_rng(0)
        order_C = self._ordered(np.arange(1, len(self.events_N)) if candidates is None else candidates)
        place_N = np.full(len(self.events_N), NEVER)
        place_N[order_C] = np.arange(len(order_C))
        ranks = np.empty(len(histories), np.int64)
        top = np.zeros((len(histories), k), np.int64)
        for question, target in enumerate(targets):
            if random is not None:
                order_C = self._ordered(random.permutation(order_C))
                place_N[order_C] = np.arange(len(order_C))
            removed = np.unique(histories[question]) if self.seen == "remove" else np.zeros(0, np.int64)
            ahead = place_N[removed] < place_N[target]
            is_candidate = place_N[target] < NEVER and target not in removed
            ranks[question] = place_N[target] - np.count_nonzero(ahead) + 1 if is_candidate else NEVER
            first = order_C[: k + len(removed)]
            best = first[~np.isin(first, removed)][:k]
            top[question, : len(best)] = best
        return Ranks(ranks, top)

    def _ordered(self, rows: np.ndarray) -> np.ndarray:
        """Return catalogue rows, the most popular first; equal ones stay in their order."""
        return rows[np.argsort(-self.events_N[rows], kind="stable")]
