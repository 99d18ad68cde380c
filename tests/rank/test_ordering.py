import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from prism_rec.rank.ordering import best, rank_of

# Few values, so that there are ties; -inf is what masking leaves.
VALUES = st.sampled_from([-np.inf, -1.5, -0.0, 0.0, 0.5, 2.0])
SCORES = hnp.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 12)), elements=VALUES)


def sorted_columns(row: np.ndarray) -> np.ndarray:
    """Return the columns from the highest score to the lowest, of equal ones the lower first."""
    return np.lexsort((np.arange(len(row)), -row))


@given(scores=SCORES, data=st.data())
@settings(max_examples=150)
def test_a_rank_is_the_place_in_the_sorted_row(scores, data):
    columns = data.draw(hnp.arrays(np.int64, len(scores), elements=st.integers(0, scores.shape[1] - 1)))
    ranks = rank_of(torch.from_numpy(scores), torch.from_numpy(columns))
    expected = [
        sorted_columns(row).tolist().index(column) + 1 for row, column in zip(scores, columns, strict=True)
    ]
    assert ranks.tolist() == expected


@given(scores=SCORES, k=st.integers(1, 14))
@settings(max_examples=150)
def test_the_best_are_the_head_of_the_sorted_row(scores, k):
    values, columns = best(torch.from_numpy(scores), k)
    for row, found, found_columns in zip(scores, values.numpy(), columns.tolist(), strict=True):
        expected = sorted_columns(row)[:k]
        assert found_columns == expected.tolist()
        np.testing.assert_array_equal(found, row[expected])


def test_a_tie_across_the_cut_is_the_lower_items():
    """PyTorch's own `topk` may take any of the hundred."""
    scores = torch.zeros(2, 100)
    scores[1, 70] = 1
    assert best(scores, 3)[1].tolist() == [[0, 1, 2], [70, 0, 1]]
    assert rank_of(scores, torch.tensor([99, 99])).tolist() == [100, 100]


@given(scores=SCORES, data=st.data())
@settings(max_examples=50)
def test_rank_and_best_agree(scores, data):
    columns = torch.from_numpy(
        data.draw(hnp.arrays(np.int64, len(scores), elements=st.integers(0, scores.shape[1] - 1)))
    )
    matrix = torch.from_numpy(scores)
    order = best(matrix, scores.shape[1])[1]
    assert torch.equal(order.gather(1, rank_of(matrix, columns)[:, None] - 1).squeeze(1), columns)


def test_a_score_that_is_no_number_never_ranks_first():
    scores = torch.tensor([[torch.nan, 1.0, 2.0], [0.0, torch.nan, 2.0], [torch.nan] * 3])
    assert rank_of(scores, torch.tensor([2, 1, 0])).tolist() == [2, 3, 3]


@pytest.mark.parametrize("columns", [1000, 1024])
@pytest.mark.parametrize("k", [1, 3, 7])
@pytest.mark.parametrize("values", [2, 40, 100_000])
def test_the_best_of_chunks_are_the_best_of_all(columns: int, k: int, values: int) -> None:
    """Wide rows are searched chunk by chunk; the fewer the values, the more ties cross the cut."""
    random = np.random.default_rng(values)
    scores = random.integers(0, values, (20, columns)).astype(np.float32)
    scores[random.random(scores.shape) < 0.3] = -np.inf
    found, places = best(torch.from_numpy(scores), k)
    for row, row_values, row_places in zip(scores, found.numpy(), places.tolist(), strict=True):
        assert row_places == sorted_columns(row)[:k].tolist()
        np.testing.assert_array_equal(row_values, row[row_places])
