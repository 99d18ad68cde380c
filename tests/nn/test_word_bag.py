import numpy as np
import pytest
import torch
from scipy import sparse

from prism_rec.nn.sparse import ByColumn, SparseRows
from prism_rec.nn.word_bag import WordBag

ROWS, WORDS, WIDTH = 9, 7, 4


@pytest.fixture
def matrix() -> sparse.csr_array:
    """Return rows of which the first, one in the middle and the last are empty."""
    random = np.random.default_rng(0)
    dense = random.random((ROWS, WORDS)) * (random.random((ROWS, WORDS)) < 0.4)
    dense[[0, 4, ROWS - 1]] = 0
    dense[:, 2] = 0  # a word of no item
    return sparse.csr_array(dense)


@pytest.fixture
def rows(matrix: sparse.csr_array) -> SparseRows:
    offsets, columns = (torch.from_numpy(a.astype(np.int64)) for a in (matrix.indptr[:-1], matrix.indices))
    return SparseRows(offsets, columns, torch.from_numpy(matrix.data))


def bag(dropout: float = 0.0) -> WordBag:
    torch.manual_seed(0)
    return WordBag(WORDS, WIDTH, dropout=dropout).double()


def test_it_is_the_product_with_the_matrix(matrix: sparse.csr_array, rows: SparseRows) -> None:
    module = bag()
    expected = torch.from_numpy(matrix.toarray()) @ module.weight_UD
    torch.testing.assert_close(module(rows), expected, rtol=0, atol=1e-12)
    some = torch.tensor([8, 3, 0, 3, 4, 1])
    torch.testing.assert_close(module(rows.take(some)), expected[some], rtol=0, atol=1e-12)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_sorted_by_column_the_gradient_is_the_same(rows: SparseRows, dropout: float) -> None:
    slopes = []
    for by_column in (None, ByColumn.of(rows, WORDS)):
        module = bag(dropout)
        torch.manual_seed(1)
        out = module(rows, by_column)
        (out * torch.arange(out.numel()).view_as(out)).sum().backward()
        slopes.append(module.weight_UD.grad)
    torch.testing.assert_close(slopes[0], slopes[1], rtol=0, atol=1e-12)
    assert slopes[0].any()


def test_dropout_leaves_out_words_during_training_only(rows: SparseRows) -> None:
    module = bag(dropout=0.5)
    one, other = module(rows), module(rows)
    assert not torch.equal(one, other)
    module.eval()
    assert torch.equal(module(rows), module(rows))
