import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.batches import NegativeSampler
from prism_rec.data.histories import Histories

CPU = torch.device("cpu")


@given(
    lists=st.lists(st.lists(st.integers(1, 12), max_size=6), min_size=1, max_size=6), seed=st.integers(0, 99)
)
@settings(max_examples=60)
def test_negatives_are_items_that_the_user_has_not_trained_on(lists, seed):
    torch.manual_seed(seed)
    sampler = NegativeSampler(Histories.from_lists([*lists, [1]]), 12, CPU)
    users = torch.arange(len(lists)).repeat_interleave(3)
    drawn = sampler.draw(users, 10)
    assert drawn.shape == (len(users), 10)
    assert drawn.min() >= 1
    assert drawn.max() <= 12
    for user, row in zip(users.tolist(), drawn.tolist(), strict=True):
        assert not set(row) & set(lists[user])


def test_every_other_item_is_drawn_equally_often():
    torch.manual_seed(0)
    sampler = NegativeSampler(Histories.from_lists([[2, 5], [1]]), 6, CPU)
    counts = sampler.draw(torch.tensor([0]), 40_000).flatten().bincount(minlength=7)
    assert counts[[0, 2, 5]].tolist() == [0, 0, 0]
    # Five standard deviations of a count with probability 1/4.
    assert (counts[[1, 3, 4, 6]] - 10_000).abs().max() < 5 * (40_000 * 0.25 * 0.75) ** 0.5


def test_a_user_who_has_everything_is_drawn_for_all_the_same():
    sampler = NegativeSampler(Histories.from_lists([[1, 2, 3]]), 3, CPU)
    assert sampler.draw(torch.tensor([0, 0]), 5).shape == (2, 5)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_seed_decides(seed):
    sampler = NegativeSampler(Histories.from_lists([[1], [2]]), 50, CPU)
    torch.manual_seed(seed)
    one = sampler.draw(torch.tensor([0, 1]), 20)
    torch.manual_seed(seed)
    assert torch.equal(sampler.draw(torch.tensor([0, 1]), 20), one)
    assert not torch.equal(sampler.draw(torch.tensor([0, 1]), 20), one)
