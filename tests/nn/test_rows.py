import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from prism_rec.nn.rows import distinct_rows, gather_rows


@given(rows=st.integers(0, 30), columns=st.integers(0, 5), seed=st.integers(0, 1000))
def test_rows_are_told_apart_as_torch_tells_them(rows, columns, seed):
    matrix = torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed)) < 0.5
    distinct, which = distinct_rows(matrix)
    assert torch.equal(distinct[which], matrix)
    if rows and columns:  # of anything less torch knows nothing
        for ours, theirs in zip((distinct, which), matrix.unique(dim=0, return_inverse=True), strict=True):
            assert torch.equal(ours, theirs)


def test_more_columns_than_an_integer_has_bits():
    matrix = torch.eye(100, dtype=torch.bool)
    distinct, which = distinct_rows(matrix)
    assert torch.equal(distinct[which], matrix)
    assert torch.equal(distinct, matrix.flip(0))


@pytest.mark.parametrize("shape", [(6, 4), (6, 3, 4), (6, 2, 3, 4)])
@pytest.mark.parametrize("places", [(5,), (2, 5), (0,)])
def test_gathered_rows_are_those_of_indexing_with_its_gradient(shape, places):
    rows = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    index = torch.randint(0, 6, places, generator=torch.Generator().manual_seed(0))
    weights = torch.randn(*places, *shape[1:], dtype=torch.float64)
    assert torch.equal(gather_rows(rows, index), rows[index])
    (slope,) = torch.autograd.grad((gather_rows(rows, index) * weights).sum(), rows)
    (expected,) = torch.autograd.grad((rows[index] * weights).sum(), rows)
    torch.testing.assert_close(slope, expected, rtol=0, atol=1e-12)
