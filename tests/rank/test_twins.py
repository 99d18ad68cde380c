import torch

from prism_rec.rank.twins import find_twins


def test_later_rows_are_paired_with_the_first_equal_one():
    keys = torch.tensor([[1.0, 2.0], [0.0, 3.0], [1.0, 2.0], [-0.0, 3.0], [2.0, 1.0], [1.0, 2.0]])
    later, first = find_twins(keys)
    assert later.tolist() == [2, 3, 5]
    assert first.tolist() == [0, 1, 0]


def test_rows_that_differ_have_no_twins():
    assert len(find_twins(torch.randn(500, 3)).later_T) == 0
    assert len(find_twins(torch.zeros(0, 3)).later_T) == 0
