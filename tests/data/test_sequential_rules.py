"""Rules of small histories, counted by hand."""

import numpy as np
import pytest

from prism_rec.data.histories import Histories
from prism_rec.data.sequential_rules import rules_of, strongest


def test_a_rule_counts_followers_by_their_distance_and_divides_by_events() -> None:
    rules = rules_of(Histories.from_lists([[1, 2, 3], [1, 3], [4]]), 4, window=2).toarray()
    assert rules[1, 2] == pytest.approx(1 / np.sqrt(2 * 1))
    assert rules[1, 3] == pytest.approx((1 / 2 + 1) / np.sqrt(2 * 2))
    assert rules[2, 3] == pytest.approx(1 / np.sqrt(1 * 2))
    assert np.count_nonzero(rules) == 3


def test_followers_beyond_the_window_and_the_item_itself_do_not_count() -> None:
    rules = rules_of(Histories.from_lists([[1, 1, 2, 3]]), 3, window=1).toarray()
    assert np.argwhere(rules).tolist() == [[1, 2], [2, 3]]


def test_rules_of_some_items_are_those_of_all() -> None:
    random = np.random.default_rng(0)
    histories = Histories.from_lists([random.integers(1, 9, size).tolist() for size in (1, 4, 7, 2, 9)])
    of = np.isin(np.arange(9), [2, 5, 8])
    every, some = (rules_of(histories, 8, 3, chosen).toarray() for chosen in (None, of))
    assert some[of].any()
    np.testing.assert_allclose(some, every * of[:, None])


def test_the_strongest_are_kept_and_equal_ones_in_the_order_of_items() -> None:
    rules = rules_of(Histories.from_lists([[1, 4], [1, 2], [1, 3], [1, 3], [2], [4]]), 4, 1)
    near, values = strongest(rules, 2)
    assert near[1].tolist() == [3, 2]
    assert values[1].tolist() == pytest.approx([2 / np.sqrt(4 * 2), 1 / np.sqrt(4 * 2)])
    assert not values[[0, 2, 3, 4]].any()
