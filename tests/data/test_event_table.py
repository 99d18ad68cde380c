from typing import Any

import polars as pl
import pytest

from prism_rec.data.event_table import events_from
from prism_rec.errors import InputError

LOG = pl.DataFrame(
    {
        "user_id": ["a", "b"],
        "item_id": ["007", "7"],
        "timestamp": [2, 1],
        "rating": [4.5, None],
        "more": [0, 0],
    }
)


def test_takes_the_columns_of_the_roles_in_file_order() -> None:
    events = events_from(LOG.lazy(), {}, "absolute", "log").events
    assert events.equals(LOG.drop("more"))


def test_columns_of_other_names() -> None:
    renamed = LOG.rename({"user_id": "uid", "item_id": "asin", "timestamp": "when", "rating": "stars"})
    names = {"user": "uid", "item": "asin", "timestamp": "when", "rating": "stars"}
    assert events_from(renamed.lazy(), names, "absolute", "log").events.equals(LOG.drop("more"))


def test_ratings_may_be_absent_and_order_needs_no_timestamps() -> None:
    events = events_from(LOG.select("user_id", "item_id").lazy(), {}, "order", "log").events
    assert events.columns == ["user_id", "item_id", "timestamp"]
    assert events["timestamp"].to_list() == [0, 1]


def test_order_uses_timestamps_where_there_are_any() -> None:
    assert events_from(LOG.lazy(), {}, "order", "log").events["timestamp"].to_list() == [2, 1]


@pytest.mark.parametrize("column", ["user_id", "item_id", "timestamp"])
def test_a_missing_column_is_named_with_the_mend(column: str) -> None:
    role = column.removesuffix("_id")
    with pytest.raises(InputError) as error:
        events_from(LOG.rename({column: "other"}).lazy(), {}, "absolute", "log.csv")
    assert str(error.value).startswith(f"log.csv has no column '{column}' (found: ")
    assert "other" in str(error.value)
    assert str(error.value).endswith(f"give the name of the {role} column in `columns`")


def test_all_missing_columns_are_named_at_once() -> None:
    log = LOG.rename({"user_id": "who", "item_id": "what"}).lazy()
    with pytest.raises(InputError) as error:
        events_from(log, {}, "absolute", "log.csv")
    assert str(error.value).startswith("log.csv has no columns 'user_id', 'item_id' (found: who, what, ")
    assert str(error.value).endswith("give their names in `columns`: user=NAME, item=NAME")


@pytest.mark.parametrize("role", ["rating", "timestamp"])
def test_a_column_named_by_the_user_must_exist(role: str) -> None:
    with pytest.raises(InputError, match="no column 'stars'"):
        events_from(LOG.lazy(), {role: "stars"}, "order", "log")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user_id": ["a", None]}, "log, row 2: no user_id"),
        ({"item_id": [None, "7"]}, "log, row 1: no item_id"),
        ({"item_id": [1.0, 2.0]}, "column 'item_id' has the type Float64; give ids as text or whole numbers"),
        ({"timestamp": ["1", "soon"]}, "log, row 2: timestamp 'soon' is not a time"),
        ({"rating": ["5", "good"]}, "log, row 2: rating 'good' is not a number"),
    ],
)
def test_a_wrong_value_is_named_by_row_and_column(change: dict[str, list[object]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        events_from(
            LOG.with_columns(**{k: pl.Series(v) for k, v in change.items()}).lazy(), {}, "absolute", "log"
        )


def test_a_rating_of_nan_is_no_rating() -> None:
    frame = LOG.with_columns(rating=pl.Series([float("nan"), 3.0]))
    assert events_from(frame.lazy(), {}, "absolute", "log").events["rating"].to_list() == [None, 3.0]


def test_no_rows_no_kind_of_time() -> None:
    with pytest.raises(InputError, match="log is empty"):
        events_from(LOG.clear().lazy(), {}, "absolute", "log")
    with pytest.raises(
        InputError, match="time: there is no 'seconds'; choose one of absolute, relative, order"
    ):
        events_from(LOG.lazy(), {}, "seconds", "log")  # type: ignore[arg-type]


def hints(**columns: list[Any]) -> tuple[str, ...]:
    return events_from(
        LOG.select("user_id", "item_id").with_columns(**columns).lazy(), {}, "order", "log"
    ).notes


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("time", [1_500_000_000, 1_500_000_001]),
        ("t_dat", ["2018-09-20", "2018-09-21"]),
        ("created_at", ["1500000000", "1500000001"]),
        ("x", ["2018-09-20T01:00Z", "2018-09-21T01:00Z"]),
        ("ts", [1.5e12, 1.6e12]),
    ],
)
def test_a_column_that_looks_like_a_time_and_is_not_read_is_named(name: str, values: list[Any]) -> None:
    series = {name: pl.Series(values)}
    (note,) = hints(**series)  # type: ignore[arg-type]
    assert note.startswith(
        f"log: column {name!r} looks like a time and is not read, so the order of the rows counts"
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [("price", [1_500_000_000, 1]), ("updates", [1, 2]), ("title", ["a", "2018"]), ("at", [1, 2])],
)
def test_other_columns_are_not(name: str, values: list[Any]) -> None:
    assert hints(**{name: pl.Series(values)}) == ()  # type: ignore[arg-type]


def test_without_a_kind_of_time_the_only_likely_column_is_read_and_told() -> None:
    frame = LOG.drop("timestamp").with_columns(date=pl.Series(["2018-09-21", "2018-09-20"]))
    table = events_from(frame.lazy(), {}, None, "log")
    assert (table.time, table.events["timestamp"].to_list()) == ("absolute", [1537488000, 1537401600])
    assert table.notes == (
        "log: column 'date' is read as the timestamp; give `columns` or `time` if that is wrong",
    )
    two = events_from(frame.with_columns(time=pl.col("date")).lazy(), {}, None, "log")
    assert (two.time, len(two.notes)) == ("order", 2)


def test_a_list_of_items_that_is_not_read_is_named() -> None:
    assert (
        "column 'item_id_list' looks like a list of items" in hints(item_id_list=pl.Series(["a b", "c"]))[0]
    )  # type: ignore[arg-type]


def test_one_column_for_two_roles_is_refused() -> None:
    with pytest.raises(InputError, match="have the same column 'user_id'; give each its own"):
        events_from(LOG.lazy(), {"item": "user_id"}, "absolute", "log")


def test_types_of_events_are_text() -> None:
    frame = LOG.with_columns(event=pl.Series(["view", None]))
    assert events_from(frame.lazy(), {}, "absolute", "log").events["event"].to_list() == ["view", None]


def test_an_empty_rating_is_no_rating() -> None:
    frame = LOG.with_columns(rating=pl.Series(["", " 3.5 "]))
    assert events_from(frame.lazy(), {}, "absolute", "log").events["rating"].to_list() == [None, 3.5]


def test_a_column_that_looks_like_types_of_events_and_is_not_read_is_named() -> None:
    log = LOG.with_columns(action=pl.Series(["view", "buy"] * (len(LOG) // 2) + ["buy"] * (len(LOG) % 2)))
    (note,) = events_from(log.lazy(), {}, "absolute", "log.csv").notes
    assert "log.csv: column 'action' looks like the type of an event (buy, view) and is not read" in note
    assert "add event=action to `columns`, and choose types with `event_types`" in note
    assert not events_from(log.lazy(), {"event": "action"}, "absolute", "log.csv").notes


def test_types_of_events_that_are_no_text_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"column 'event' has the type List\(String\); give types of events as text"
    ):
        events_from(LOG.with_columns(event=pl.lit(["a"], pl.List(pl.String))).lazy(), {}, "absolute", "log")


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical, pl.Enum(["4,5", "3"])], ids=str)
def test_ratings_may_be_categories_and_have_a_decimal_comma(kind: Any) -> None:
    frame = pl.DataFrame(
        {"user_id": ["a", "b"], "item_id": ["x", "y"], "rating": pl.Series(["4,5", "3"], dtype=kind)}
    )
    assert events_from(frame.lazy(), {}, "order", "log").events["rating"].to_list() == [4.5, 3]
