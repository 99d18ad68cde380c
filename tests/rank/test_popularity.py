import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.data.histories import Histories
from prism_rec.rank import NEVER, PopularityRanker
from prism_rec.rank.ordering import best, rank_of

ITEMS = 8
HISTORY = st.lists(st.integers(1, ITEMS), min_size=1, max_size=10)


@given(
    training=st.lists(HISTORY, min_size=1, max_size=6),
    questions=st.lists(st.tuples(HISTORY, st.integers(1, ITEMS)), min_size=1, max_size=6),
    k=st.integers(0, ITEMS + 2),
    seen=st.sampled_from(["remove", "keep"]),
)
@settings(max_examples=60)
def test_it_ranks_as_scores_equal_to_the_counts_do(training, questions, k, seen):
    histories = Histories.from_lists([history for history, _ in questions])
    targets = np.array([target for _, target in questions])
    ranks, top = PopularityRanker(Histories.from_lists(training), ITEMS, seen).rank(histories, targets, k)
    counts = np.bincount(np.concatenate(training), minlength=ITEMS + 1).astype(float)
    for question, (history, target) in enumerate(questions):
        scores = torch.from_numpy(counts)[None].clone()
        scores[0, [0, *(history if seen == "remove" else ())]] = -torch.inf
        is_candidate = scores[0, target] > -torch.inf
        assert ranks[question] == (rank_of(scores, torch.tensor([target]))[0] if is_candidate else NEVER)
        if k:
            values, rows = best(scores, k)
            expected = np.zeros(k, np.int64)
            expected[: rows.shape[1]] = rows.masked_fill(values == -torch.inf, 0)[0]
            assert top[question].tolist() == expected.tolist()


def test_it_counts_training_events_alone():
    training = Histories.from_lists([[1, 2], [2, 3], [2]])
    asked = Histories.from_lists([[4], [4, 4, 4, 2]])
    ranks, top = PopularityRanker(training, 4).rank(asked, np.array([3, 3]), 3)
    assert ranks.tolist() == [3, 2]
    assert top.tolist() == [[2, 1, 3], [1, 3, 0]]


def test_given_candidates_are_ranked_apart_from_the_others():
    training = Histories.from_lists([[1, 2], [2, 3], [2]])
    asked = Histories.from_lists([[4], [2]])
    ranks, top = PopularityRanker(training, 6).rank(asked, np.array([3, 1]), 3, np.array([2, 3, 4]))
    assert ranks.tolist() == [2, NEVER]
    assert top.tolist() == [[2, 3, 0], [3, 4, 0]]


def test_candidates_without_events_tie_and_their_numbers_do_not_decide():
    asked = Histories.from_lists([[1]] * 300)
    ranker = PopularityRanker(Histories.from_lists([[1]]), 9)
    ranks = ranker.rank(asked, np.full(300, 2), candidates=np.arange(2, 10)).ranks
    assert set(ranks) == set(range(1, 9))
    assert abs(ranks.mean() - 4.5) < 0.5
    assert ranker.rank(asked, np.full(300, 2), candidates=np.arange(2, 10)).ranks.tolist() == ranks.tolist()
