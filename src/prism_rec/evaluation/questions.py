"""A model's answers to a dataset's next-item questions."""

from prism_rec.data.dataset import Queries
from prism_rec.evaluation.results import Evaluation
from prism_rec.model import SequenceRecommender
from prism_rec.rank import Ranker

LONGEST_CUTOFF = 50


def answer(
    model: SequenceRecommender,
    queries: Queries,
    max_length: int,
    batch_size: int = 256,
    k: int = LONGEST_CUTOFF,
) -> Evaluation:
    """Rank the whole catalogue for every question, the items of its history removed.

    Args:
        model: what ranks; it is left in evaluation mode.
        queries: the questions, every one of them answered.
        max_length: the latest items of a history that the model sees.
        batch_size: questions at once.
        k: length of the lists that are kept.
    """
    ranks = Ranker(model, max_length, batch_size).rank(queries.histories, queries.targets, k)
    return Evaluation(queries.users, ranks.ranks, ranks.top)
