"""Whether seen items are candidates follows from the data, without test events."""

import polars as pl
import pytest

from prism_rec.data import Dataset
from prism_rec.rank.seen import say_repeats, seen_from


def prepare(histories: list[str], duplicates: str = "all") -> Dataset:
    rows = [
        (str(user), item, time) for user, items in enumerate(histories) for time, item in enumerate(items)
    ]
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    return Dataset.from_frame(log, duplicates=duplicates)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("histories", "expected"),
    [
        (["abcd", "bcad"], "remove"),
        (["abcd", "bbcad"], "keep"),
        (["abcd", "bcabd"], "keep"),  # the validation target
        (["abcd", "bcadc"], "remove"),  # the test target
    ],
)
def test_seen_items_stay_candidates_if_users_come_back_before_the_test(histories, expected):
    assert seen_from(prepare(histories)) == expected
    assert seen_from(prepare(histories, duplicates="first")) == "remove"


def test_targets_that_are_in_their_own_history_are_marked():
    dataset = prepare(["abcb", "aabc", "aacab", "abab"])
    assert dataset.queries("test").repeated.tolist() == [True, False, False, True]
    assert dataset.queries("validation").repeated.tolist() == [False, False, True, True]
    assert dataset.queries("test").repeated_share == 0.5


def test_a_line_says_what_is_done():
    assert say_repeats(0.0, "test", "remove") is None
    assert "25.0% of test targets" in str(say_repeats(0.25, "test", "keep"))
    assert "are candidates (`seen: keep`)" in str(say_repeats(0.25, "test", "keep"))
    assert "every model misses these targets (`seen: remove`)" in str(say_repeats(0.25, "test", "remove"))
