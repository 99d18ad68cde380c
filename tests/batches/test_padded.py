import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.batches import TrainingBatches, pad
from prism_rec.batches.padded import ragged
from prism_rec.data.histories import Histories

LISTS = st.lists(st.lists(st.integers(1, 9), max_size=12), min_size=1, max_size=12)


@given(lists=LISTS)
@settings(deadline=None, max_examples=50)
def test_padded_and_ragged_hold_what_the_histories_do(lists):
    histories = Histories.from_lists(lists)
    padded = pad(histories.items, histories.offsets[:-1], histories.lengths)
    assert padded.shape == (len(lists), max(map(len, lists)))
    assert [row[: len(given)].tolist() for row, given in zip(padded, lists, strict=True)] == lists
    assert padded.sum() == sum(map(sum, lists))  # zeros behind
    flat = ragged(histories.items, histories.offsets[:-1], histories.lengths)
    assert flat.tolist() == [item for history in lists for item in history]


@given(lists=LISTS, max_length=st.integers(1, 8), batch_size=st.integers(1, 5), epoch=st.integers(1, 3))
@settings(deadline=None, max_examples=80)
def test_an_epoch_has_every_user_once_with_the_latest_items_and_what_follows_each(
    lists, max_length, batch_size, epoch
):
    batches = TrainingBatches(Histories.from_lists(lists), max_length, batch_size, seed=3)
    seen = []
    for batch in batches.epoch(epoch):
        assert 1 <= len(batch.users_B) <= batch_size
        targets = batch.targets_P.split(batch.lengths_B.tolist())
        assert batch.histories_BL.shape[1] == batch.lengths_B.max()
        for user, row, length, following in zip(
            batch.users_B.tolist(), batch.histories_BL, batch.lengths_B, targets, strict=True
        ):
            latest = lists[user][-(max_length + 1) :]
            assert row[:length].tolist() == latest[:-1]
            assert not row[length:].any()
            assert following.tolist() == latest[1:]
            seen.append(user)
    assert sorted(seen) == [user for user, history in enumerate(lists) if len(history) >= 2]
    assert len(batches) == len(list(batches.epoch(epoch)))


def users_of(seed: int, epoch: int) -> list[int]:
    histories = Histories.from_lists([[1, 2]] * 40)
    return [
        user
        for batch in TrainingBatches(histories, 5, 7, seed).epoch(epoch)
        for user in batch.users_B.tolist()
    ]


def test_seed_and_epoch_decide_the_order():
    assert users_of(0, 1) == users_of(0, 1)
    assert len({tuple(users_of(seed, epoch)) for seed in (0, 1) for epoch in (1, 2)}) == 4


def test_an_epoch_touches_no_random_numbers_of_others():
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    expected = torch.rand(1), np.random.rand()  # noqa: NPY002
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    users_of(0, 1)
    assert (torch.rand(1), np.random.rand()) == expected  # noqa: NPY002


def test_without_a_history_of_two_items_there_is_no_batch():
    batches = TrainingBatches(Histories.from_lists([[1], []]), 5, 2, seed=0)
    assert len(batches) == 0
    assert list(batches.epoch(1)) == []
