import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.batches import BatchPlan, TrainingBatches
from prism_rec.batches.plan import examples_per_epoch
from prism_rec.data.histories import Histories
from prism_rec.errors import InputError

LISTS = st.lists(st.lists(st.integers(1, 9), max_size=12), min_size=1, max_size=12)
WITH_A_PAIR = LISTS.filter(lambda lists: any(len(history) >= 2 for history in lists))


def batches_of(lists, max_length=5, batch_size=7, seed=0, **plan) -> TrainingBatches:
    return TrainingBatches(Histories.from_lists(lists), BatchPlan(max_length, batch_size, seed, **plan))


def test_a_batch_is_the_one_of_the_docstring():
    batch = next(batches_of([[5, 3, 7], [2, 9]]).epoch(1))
    users = batch.users_B.tolist()
    assert sorted(users) == [0, 1]
    expected = {0: ([5, 3], [3, 7]), 1: ([2], [9])}
    assert batch.lengths_B.tolist() == [len(expected[user][0]) for user in users]
    assert batch.items_P.tolist() == [item for user in users for item in expected[user][0]]
    assert batch.targets_P.tolist() == [item for user in users for item in expected[user][1]]


@given(lists=WITH_A_PAIR, max_length=st.integers(1, 8), batch_size=st.integers(1, 5), epoch=st.integers(1, 3))
@settings(max_examples=80)
def test_an_epoch_has_every_user_once_with_the_latest_items_and_what_follows_each(
    lists, max_length, batch_size, epoch
):
    batches = batches_of(lists, max_length, batch_size, seed=3)
    seen = []
    for batch in batches.epoch(epoch):
        assert 1 <= len(batch.users_B) <= batch_size
        lengths = batch.lengths_B.tolist()
        for user, items, following in zip(
            batch.users_B.tolist(), batch.items_P.split(lengths), batch.targets_P.split(lengths), strict=True
        ):
            latest = lists[user][-(max_length + 1) :]
            assert items.tolist() == latest[:-1]
            assert following.tolist() == latest[1:]
            seen.append(user)
    assert sorted(seen) == [user for user, history in enumerate(lists) if len(history) >= 2]
    assert len(batches) == len(list(batches.epoch(epoch)))


def users_of(seed: int, epoch: int) -> list[int]:
    return [
        user for batch in batches_of([[1, 2]] * 40, seed=seed).epoch(epoch) for user in batch.users_B.tolist()
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
        batches_of([[1], []])


@given(lists=WITH_A_PAIR, max_length=st.integers(1, 8), max_targets=st.integers(1, 60))
@settings(max_examples=80)
def test_a_capped_epoch_is_the_beginning_of_the_whole_one(lists, max_length, max_targets):
    whole = batches_of(lists, max_length, 2, seed=3)
    capped = batches_of(lists, max_length, 2, seed=3, max_targets=max_targets)
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
    batches = batches_of([[1, 2, 3]] * 40, max_targets=20)
    assert batches.share == 0.25
    epochs = [
        frozenset(user for batch in batches.epoch(number) for user in batch.users_B.tolist())
        for number in range(1, 41)
    ]
    assert {len(users) for users in epochs} == {10}
    assert len(set(epochs)) == 40
    assert frozenset().union(*epochs) == set(range(40))


@given(targets=st.lists(st.integers(1, 50), max_size=30), most=st.integers(1, 400))
@settings(max_examples=80)
def test_so_many_examples_train_the_targets_asked_for_on_average(targets, most):
    count = examples_per_epoch(np.array(targets, np.int64), most)
    if sum(targets) <= most:
        assert count == len(targets)
    else:
        mean = sum(targets) / len(targets)
        assert count == 1 or count * mean <= most
        assert (count + 1) * mean > most
    assert examples_per_epoch(np.array(targets, np.int64), None) == len(targets)


@given(
    lists=WITH_A_PAIR,
    batch_size=st.integers(1, 6),
    world=st.integers(1, 4),
    epoch=st.integers(1, 3),
    max_targets=st.none() | st.integers(1, 60),
)
@settings(max_examples=100)
def test_ranks_share_the_batches_of_a_single_process(lists, batch_size, world, epoch, max_targets):
    alone = batches_of(lists, 5, batch_size, max_targets=max_targets)
    ranks = [
        batches_of(lists, 5, batch_size, max_targets=max_targets, rank=rank, world=world)
        for rank in range(world)
    ]
    assert {(len(batches), batches.share) for batches in ranks} == {(len(alone), alone.share)}
    steps = list(zip(*(batches.epoch(epoch) for batches in ranks), strict=True))
    for batch, parts in zip(alone.epoch(epoch), steps, strict=True):
        users = batch.users_B.tolist()
        shared = [part.users_B.tolist() for part in parts]
        assert all(shared)
        if len(users) >= world:
            assert sorted(user for part in shared for user in part) == sorted(users)
            assert max(map(len, shared)) - min(map(len, shared)) <= 1
        else:  # every rank takes part in every step
            assert {user for part in shared for user in part} == set(users)
        for part in parts:
            lengths = part.lengths_B.tolist()
            for user, items in zip(part.users_B.tolist(), part.items_P.split(lengths), strict=True):
                assert items.tolist() == lists[user][-6:][:-1]
