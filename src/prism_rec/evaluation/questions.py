"""Answers to a dataset's next-item questions."""

from prism_rec.data.queries import Queries
from prism_rec.evaluation.results import Evaluation
from prism_rec.rank import RanksItems

LONGEST_CUTOFF = 50


def answer(ranker: RanksItems, queries: Queries, k: int = LONGEST_CUTOFF) -> Evaluation:
    """Rank the candidates of every question: the whole catalogue, with or without the items of its history.

    Args:
        ranker: for instance `Ranker(model)`.
        queries: the questions; all are answered.
        k: length of the lists that are kept.
    """
    ranks = ranker.rank(queries.histories, queries.targets, k)
    return Evaluation(queries.users, ranks.ranks, ranks.top)
