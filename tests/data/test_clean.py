from collections import Counter
from typing import Literal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.data.clean import Cleaning, clean, k_core
from prism_rec.errors import InputError

Event = tuple[int, int, int]
EVENTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 5)), min_size=1, max_size=30)


def frame_of(events: list[Event], ratings: list[float | None] | None = None) -> pl.DataFrame:
    frame = pl.DataFrame(events, schema=["user", "item", "timestamp"], orient="row").with_row_index("row")
    return frame if ratings is None else frame.with_columns(rating=pl.Series(ratings, dtype=pl.Float64))


@given(EVENTS, st.integers(1, 4))
@settings(max_examples=100)
def test_k_core_is_a_fixed_point_and_the_largest(events: list[Event], k: int) -> None:
    kept = k_core(np.array([e[0] for e in events]), np.array([e[1] for e in events]), k)
    left = [event for event, keep in zip(events, kept, strict=True) if keep]
    for position in (0, 1):
        counts = Counter(event[position] for event in left)
        assert all(count >= k for count in counts.values())
    assert left == peel(events, k)


def peel(events: list[Event], k: int) -> list[Event]:
    """Drop the events of one short user or item at a time: slow, and plainly the largest core."""
    while True:
        for position in (0, 1):
            counts = Counter(event[position] for event in events)
            short = next((value for value, count in counts.items() if count < k), None)
            if short is not None:
                events = [event for event in events if event[position] != short]
                break
        else:
            return events


def test_k_core_needs_several_rounds_where_dropping_one_leaves_another_short() -> None:
    users, items = np.array([0, 1, 1, 2, 2, 3, 3]), np.array([0, 0, 1, 1, 2, 2, 3])
    assert not k_core(users, items, 2).any()
    assert k_core(users, items, 1).all()


@given(EVENTS, st.sampled_from(["first", "last", "all"]))
@settings(max_examples=100)
def test_order_is_by_time_then_file_and_duplicates_follow_the_policy(
    events: list[Event], policy: Literal["first", "last", "all"]
) -> None:
    left, dropped = clean(frame_of(events), Cleaning(duplicates=policy))
    rows = sorted(range(len(events)), key=lambda row: (events[row][0], events[row][2], row))
    if policy != "all":
        of_pair: dict[tuple[int, int], int] = {}
        for row in rows if policy == "last" else reversed(rows):
            of_pair[events[row][:2]] = row
        rows = [row for row in rows if row in of_pair.values()]
    assert left["row"].to_list() == rows
    assert dropped["interactions_repeated"] == len(events) - len(rows)


def test_every_loss_is_counted_once() -> None:
    events = [(user, item, item) for user in (0, 1) for item in (0, 1, 2)]
    events += [(0, 0, 9), (2, 0, 1), (2, 2, 1), (3, 0, 1), (3, 1, 1), (4, 9, 1)]
    ratings = [5.0] * 7 + [3.5] + [5.0] * 4
    left, dropped = clean(frame_of(events, ratings), Cleaning(min_rating=4, core=2), shortest_history=3)
    assert left["row"].to_list() == [0, 1, 2, 3, 4, 5]
    assert dropped == {
        "interactions_below_min_rating": 1,  # of user 2
        "users_below_min_rating": 0,
        "items_below_min_rating": 0,
        "interactions_repeated": 1,  # of user 0
        "interactions_outside_core": 2,  # users 2 and 4
        "users_outside_core": 2,
        "items_outside_core": 1,
        "interactions_in_short_histories": 2,  # user 3
        "users_in_short_histories": 1,
        "items_in_short_histories": 0,
    }


def test_a_missing_rating_is_below_every_threshold() -> None:
    left, _ = clean(frame_of([(0, 0, 1), (0, 1, 2), (0, 2, 3)], [4.0, None, 3.9]), Cleaning(min_rating=4))
    assert left["item"].to_list() == [0]


def test_a_threshold_without_ratings_is_refused() -> None:
    with pytest.raises(InputError, match="no ratings"):
        clean(frame_of([(0, 0, 1)]), Cleaning(min_rating=4))


def test_an_empty_log_is_not_said_to_be_dropped() -> None:
    with pytest.raises(InputError, match="^the log has no interactions; check the files of the source$"):
        clean(frame_of([(0, 0, 1)]).clear(), Cleaning())


def test_nothing_left_says_what_took_it() -> None:
    events = frame_of([(0, 0, 1), (0, 0, 2), (0, 1, 3), (1, 1, 4)]).with_columns(
        rating=pl.Series([5, 5, 5, 2])
    )
    with pytest.raises(InputError) as refused:
        clean(events, Cleaning(core=3, min_rating=4))
    assert str(refused.value) == (
        "none of the 4 interactions is left; dropped: 1 rated below `cleaning.min_rating` (4.0), 1 that repeat a pair "
        "of user and item (`cleaning.duplicates` first), 2 of users or items with fewer than `cleaning.core` (3); "
        "lower `cleaning.core` or `cleaning.min_rating`"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"core": 0}, "core"), ({"duplicates": "some"}, "duplicates"), ({"k": 5}, "unknown key k")],
)
def test_a_wrong_setting_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Cleaning.parse(settings, "cleaning")
