from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_rec.data import Cleaning, Dataset, NoSplit, RawLog
from prism_rec.data.card.describe import balance, in_words
from prism_rec.data.new_items import add_items
from prism_rec.errors import InputError

EVENTS = st.lists(
    st.tuples(
        st.integers(0, 5), st.integers(0, 5), st.integers(0, 9), st.integers(1, 5), st.sampled_from("vc")
    ),
    min_size=1,
    max_size=40,
)


@given(
    EVENTS, st.sampled_from([None, 3]), st.integers(1, 3), st.sampled_from([(), ("v",)]), st.integers(0, 4)
)
@settings(max_examples=150)
@pytest.mark.slow
def test_what_is_read_is_kept_or_dropped_for_a_reason(
    events: list[tuple[int, ...]],
    min_rating: float | None,
    core: int,
    types: tuple[str, ...],
    unreadable: int,
) -> None:
    frame = pl.DataFrame(events, schema=["user_id", "item_id", "timestamp", "rating", "event"], orient="row")
    frame = frame.with_columns(
        pl.col("user_id", "item_id").cast(pl.String), pl.col("rating").cast(pl.Float64)
    )
    described = pl.DataFrame({"item_id": [str(number) for number in range(3, 9)]})
    log = RawLog(frame, described, "absolute", dropped={"interactions_unreadable": unreadable})
    cleaning = Cleaning(min_rating=min_rating, core=core, event_types=types)
    try:
        dataset = Dataset.from_log(log, cleaning, NoSplit())
    except InputError:
        return
    sums = balance(dataset)
    for role, kept in dataset.counts().items():
        assert sums[role]["read"] == kept + sum(sums[role]["dropped"].values())
    assert sums["interactions"]["read"] == len(events) + unreadable
    assert sums["users"]["read"] == frame["user_id"].n_unique()
    assert sums["items"]["read"] == len({*frame["item_id"], *described["item_id"]})


def make(**options: Any) -> Dataset:
    rows = [("a", str(item), item, "view" if item % 2 else "buy") for item in range(8)] + [
        ("b", "1", 1, "buy")
    ]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp", "event"], orient="row")
    items = pl.DataFrame({"item_id": ["2", "x", "y"]})
    return Dataset.from_frame(frame, items, **options)


def test_the_balance_in_words_names_each_reason() -> None:
    words = dict(in_words(_describe(make(event_types=["buy"]))))
    assert words["interactions read"] == "9 = 4 kept + 4 of other types + 1 in short histories"
    assert words["users read"] == "2 = 1 kept + 1 in short histories"
    assert words["items read"] == "10 = 4 kept + 3 of other types + 1 in short histories + 2 without events"


def test_items_that_came_later_are_not_those_that_were_kept() -> None:
    log = pl.DataFrame({"user_id": ["a"] * 3, "item_id": ["0", "2", "3"], "timestamp": [1, 2, 3]})
    dataset = Dataset.from_frame(log, pl.DataFrame({"item_id": ["0", "9"]}))
    grown = add_items(dataset, pl.DataFrame({"item_id": ["9", "10"]}), {})
    assert balance(grown)["items"] == {
        "read": 4,
        "kept": 3,
        "dropped": {"without_events": 1},
        "added": 2,
    }
    words = dict(in_words(_describe(grown)))
    assert words["items read"] == "4 = 3 kept + 1 without events; 2 added later"


def _describe(dataset: Dataset) -> dict[str, Any]:
    from prism_rec.data.card.describe import describe

    return describe(dataset)


def test_types_that_do_not_exist_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"no event of the type 'cart' \(found: buy, view\); choose one of these"
    ):
        make(event_types=["cart"])
    frame = pl.DataFrame({"user_id": ["a"] * 3, "item_id": list("xyz"), "timestamp": range(3)})
    with pytest.raises(InputError, match="have no types"):
        Dataset.from_frame(frame, event_types=["buy"])


def test_without_a_split_everything_is_for_training() -> None:
    dataset = make(split="none")
    assert dataset.split.counts() == {
        "training_interactions": 9,
        "users_without_training": 0,
        "validation_queries": 0,
        "test_queries": 0,
    }
    assert _describe(dataset)["leakage"]["cold_test_targets"] == 0


def test_short_histories_are_not_blamed_on_the_core() -> None:
    frame = pl.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "y"], "timestamp": [1, 2]})
    with pytest.raises(
        InputError, match="the split needs 3 events per user; give a longer log, or use `split` temporal"
    ):
        Dataset.from_frame(frame)
