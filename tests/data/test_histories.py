import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.data import Histories
from prism_rec.data.histories import ranges

LISTS = st.lists(st.lists(st.integers(1, 9), max_size=6), max_size=6)


@given(LISTS)
@settings(max_examples=50)
def test_holds_every_history_in_order(lists: list[list[int]]) -> None:
    histories = Histories.from_lists(lists)
    assert len(histories) == len(lists)
    assert [histories[user].tolist() for user in range(len(lists))] == lists
    assert histories.lengths.tolist() == [len(row) for row in lists]
    assert histories.items.dtype == histories.offsets.dtype == np.int64


@given(LISTS.filter(bool), st.data())
@settings(max_examples=50)
def test_prefixes_cut_any_users_in_any_order(lists: list[list[int]], data: st.DataObject) -> None:
    users = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=8))
    ends = [data.draw(st.integers(0, len(lists[user]))) for user in users]
    cut = Histories.from_lists(lists).prefixes(np.array(users, np.int64), np.array(ends, np.int64))
    assert [row.tolist() for row in cut] == [lists[user][:end] for user, end in zip(users, ends, strict=True)]


def test_a_user_that_does_not_exist_is_an_index_error() -> None:
    histories = Histories.from_lists([[1], [2, 3]])
    assert histories[-1].tolist() == [2, 3]
    with pytest.raises(IndexError):
        histories[2]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=8))
def test_ranges_are_those_of_python_one_after_another(pairs):
    begins, lengths = (np.array([pair[i] for pair in pairs], np.int64) for i in (0, 1))
    expected = [number for begin, length in pairs for number in range(begin, begin + length)]
    assert ranges(begins, lengths).tolist() == expected


def test_events_are_counted_for_every_row():
    assert Histories.from_lists([[1, 3], [3], []]).counts(4).tolist() == [0, 1, 0, 2, 0]
    assert Histories.from_lists([]).counts(2).tolist() == [0, 0, 0]
