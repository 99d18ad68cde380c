"""Answers to a dataset's next-item questions."""

from prism_rec.data.queries import Queries
from prism_rec.evaluation.results import Evaluation
from prism_rec.rank import RanksItems

LONGEST_CUTOFF = 50


def answer(ranker: RanksItems, queries: Queries, k: int = LONGEST_CUTOFF) -> Evaluation:
    """Rank the candidates of every question, with or without the items of its history.

    Candidates are the whole catalogue, unless the split has others.

    Args:
        ranker: for instance `Ranker(model)`.
        queries: the questions; all are answered.
        k: length of the lists that are kept.
    """
    ranks = ranker.rank(queries.histories, queries.targets, k, queries.candidates)
    return Evaluation(queries.users, ranks.ranks, ranks.top)
