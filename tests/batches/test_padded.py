import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.batches import TrainingBatches, examples_per_epoch, pad
from prism_rec.batches.padded import ragged
from prism_rec.data.histories import Histories
from prism_rec.errors import InputError

LISTS = st.lists(st.lists(st.integers(1, 9), max_size=12), min_size=1, max_size=12)
WITH_A_PAIR = LISTS.filter(lambda lists: any(len(history) >= 2 for history in lists))


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


@given(lists=WITH_A_PAIR, max_length=st.integers(1, 8), batch_size=st.integers(1, 5), epoch=st.integers(1, 3))
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


def test_without_a_history_of_two_items_there_is_nothing_to_learn():
    with pytest.raises(InputError, match="no training history has two items"):
        TrainingBatches(Histories.from_lists([[1], []]), 5, 2, seed=0)


@given(lists=WITH_A_PAIR, max_length=st.integers(1, 8), max_targets=st.integers(1, 60))
@settings(deadline=None, max_examples=80)
def test_a_capped_epoch_is_the_beginning_of_the_whole_one(lists, max_length, max_targets):
    histories = Histories.from_lists(lists)
    whole = TrainingBatches(histories, max_length, 2, seed=3)
    capped = TrainingBatches(histories, max_length, 2, seed=3, max_targets=max_targets)
    for epoch in (1, 2):
        users, all_users = (
            [user for batch in batches.epoch(epoch) for user in batch.users_B.tolist()]
            for batches in (capped, whole)
        )
        assert users == all_users[: len(users)]
        assert len(users) == round(capped.share * len(all_users))
    assert len(capped) == len(list(capped.epoch(1)))
    targets = sum(min(len(history) - 1, max_length) for history in lists if len(history) >= 2)
    assert (capped.share == 1) == (targets <= max_targets) or len(whole.users) <= 1


def test_capped_epochs_differ_and_reach_everybody():
    batches = TrainingBatches(Histories.from_lists([[1, 2, 3]] * 40), 5, 7, seed=0, max_targets=20)
    assert batches.share == 0.25
    epochs = [
        frozenset(user for batch in batches.epoch(number) for user in batch.users_B.tolist())
        for number in range(1, 41)
    ]
    assert {len(users) for users in epochs} == {10}
    assert len(set(epochs)) == 40
    assert frozenset().union(*epochs) == set(range(40))


@given(targets=st.lists(st.integers(1, 50), max_size=30), most=st.integers(1, 400))
@settings(deadline=None, max_examples=80)
def test_so_many_examples_train_the_targets_asked_for_on_average(targets, most):
    count = examples_per_epoch(np.array(targets, np.int64), most)
    if sum(targets) <= most:
        assert count == len(targets)
    else:
        mean = sum(targets) / len(targets)
        assert count == 1 or count * mean <= most
        assert (count + 1) * mean > most
    assert examples_per_epoch(np.array(targets, np.int64), None) == len(targets)
