import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from prism_rec.evaluation.slices import (
    estimate_slices,
    slice_by_history,
    slice_by_popularity,
    slice_by_presence,
)

quick = settings(max_examples=50)


def members(slices):
    return {part.name: np.flatnonzero(part.members).tolist() for part in slices}


def test_history_thirds_name_their_bounds():
    slices = slice_by_history(np.array([4, 9, 5, 30, 6, 7]))
    assert members(slices) == {"history:short": [0, 2], "history:medium": [4, 5], "history:long": [1, 3]}
    assert [part.description for part in slices] == [
        "at most 5 items in the history",
        "6 to 7 items in the history",
        "more than 7 items in the history",
    ]


def test_equal_histories_stay_together():
    assert members(slice_by_history(np.array([4, 4, 4, 4]))) == {
        "history:short": [0, 1, 2, 3],
        "history:medium": [],
        "history:long": [],
    }


def test_head_holds_half_of_the_training_events():
    popularity = np.array([0, 6, 4, 4, 3, 2, 1, 0])  # 20 events; 6 + 4 reach half, and another item has 4
    slices = slice_by_popularity(np.arange(1, 8), popularity)
    assert members(slices) == {
        "popularity:cold": [6],
        "popularity:tail": [3, 4, 5],
        "popularity:head": [0, 1, 2],
    }
    assert slices[2].description == "the target has at least 4 training events"


def test_head_holds_no_more_than_it_must():
    slices = slice_by_popularity(np.arange(1, 4), np.array([0, 2, 5, 3]))
    assert members(slices) == {"popularity:cold": [], "popularity:tail": [0, 2], "popularity:head": [1]}


def test_without_training_events_every_target_is_cold():
    slices = slice_by_popularity(np.array([1, 2]), np.zeros(3, dtype=np.int64))
    assert members(slices) == {"popularity:cold": [0, 1], "popularity:tail": [], "popularity:head": []}


def test_presence_is_that_of_the_target():
    presence = {"image": np.array([False, True, False]), "text": np.array([False, True, True])}
    assert members(slice_by_presence(np.array([2, 1, 2]), presence)) == {
        "missing:image": [0, 2],
        "present:image": [1],
        "missing:text": [],
        "present:text": [0, 1, 2],
    }


@quick
@given(arrays.arrays(np.int64, st.integers(1, 20), elements=st.integers(1, 9)))
def test_slices_of_one_kind_part_the_queries(numbers):
    popularity = np.array([0, 5, 0, 1, 1, 2, 9, 0, 3, 3])
    presence = {"image": popularity % 2 == 1}
    for slices in (
        slice_by_history(numbers),
        slice_by_popularity(numbers, popularity),
        slice_by_presence(numbers, presence),
    ):
        times = sum(part.members.astype(int) for part in slices)
        assert np.all(times == 1)


def test_no_queries_have_no_slice_members():
    none = np.empty(0, dtype=np.int64)
    assert slice_by_history(none) == []
    assert not any(part.members.any() for part in slice_by_popularity(none, np.array([0, 1])))


def test_each_slice_has_its_own_estimates_and_empty_ones_none():
    ranks = np.array([1, 100, 1, 100])
    slices = slice_by_presence(np.array([1, 2, 1, 2]), {"image": np.array([False, True, False])})
    slices += slice_by_history(np.array([3, 3, 3, 3]))
    estimates = estimate_slices(ranks, slices, (10,))
    assert list(estimates) == ["missing:image", "present:image", "history:short"]
    assert estimates["present:image"]["recall@10"].mean == 1
    assert estimates["missing:image"]["recall@10"].mean == 0
    assert estimates["history:short"]["ndcg@10"].mean == pytest.approx(0.5)
    assert [part["mrr@10"].queries for part in estimates.values()] == [2, 2, 4]


def test_slices_take_cutoffs_that_can_be_read_once():
    slices = slice_by_history(np.array([1, 2, 3]))
    estimates = estimate_slices(np.array([1, 2, 3]), slices, iter((5, 10)))
    assert {len(part) for part in estimates.values()} == {6}
