from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prism_rec.data import frames
from prism_rec.data.event_table import events_from
from prism_rec.data.frames import complete_columns, entities_from, text_ids, to_polars
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


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(
        InputError, match="unknown role 'usr'; the roles are user, item, timestamp, rating, event"
    ):
        complete_columns({"usr": "u"})
    with pytest.raises(InputError, match="event, history; the role comes first: user=customer"):
        complete_columns({"customer": "user"})
    assert complete_columns({"user": 0})["user"] == "0"  # type: ignore[dict-item]


@pytest.mark.parametrize("ids", [["a", ""], ["a", "  "], ["a", None], [None, None], [1, None]])
def test_an_empty_id_is_a_missing_id(ids: list[object]) -> None:
    with pytest.raises(InputError, match="log, row .: no user_id; add it or remove the row"):
        text_ids(pl.Series("user_id", ids), "log")
    assert "(2 rows have none; with a header, the first is in line " in str(
        pytest.raises(InputError, text_ids, pl.Series("u", ["", "", "a"]), "log").value
    )


def test_ids_are_text_exactly_as_given() -> None:
    odd = ["007", "7", " 7", "é", "e\u0301", "\u202e😀", "../../x", "NA", "null", "a,b\n"]
    assert text_ids(pl.Series("user_id", odd), "log").to_list() == odd
    assert text_ids(pl.Series("user_id", [7, 8], dtype=pl.UInt8), "log").to_list() == ["7", "8"]
    assert text_ids(pl.Series("user_id", ["a"], dtype=pl.Categorical), "log").to_list() == ["a"]


def test_entities_keep_their_columns_and_may_use_the_name_of_the_log() -> None:
    items = pl.DataFrame({"title": ["A", "B"], "asin": ["1", "2"]})
    expected = pl.DataFrame({"item_id": ["1", "2"], "title": ["A", "B"]})
    assert entities_from(items, "item_id", {"item": "asin"}, "items").equals(expected)
    assert entities_from(expected, "item_id", {"item": "asin"}, "items").equals(expected)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ({"id": ["1"]}, r"no column 'item_id' \(found: id\); give its name in `columns` \(item=NAME\)"),
        ({"item_id": ["1", "2", "1"]}, "items, row 3 repeats the id '1'"),
        ({"item_id": ["1", None]}, "items, row 2: no item_id"),
        ({"item_id": ["1"], "row": [1]}, "column 'row' has a name that prism-rec uses"),
        ({"item_id": []}, "items is empty"),
    ],
)
def test_wrong_entities_are_refused(items: dict[str, list[object]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        entities_from(pl.DataFrame(items), "item_id", {}, "items")


def test_frames_of_other_libraries_are_the_same() -> None:
    for frame in (LOG.to_pandas(), LOG.to_arrow()):
        assert to_polars(frame, "log").equals(LOG)


def test_what_is_no_frame_is_refused() -> None:
    for frame in ({"user_id": ["a"]}, None, LOG.lazy()):
        with pytest.raises(InputError, match="log is .*; give a polars, pandas or Arrow frame"):
            to_polars(frame, "log")
    with pytest.raises(InputError, match="log: column .* cannot be read .*; give every value one plain type"):
        to_polars(pd.DataFrame({"user_id": [1, "x"]}), "log")


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'pyarrow'")

    monkeypatch.setattr(frames.nw, "from_native", fail)
    with pytest.raises(InputError, match="log: .*install pyarrow"):
        to_polars(pd.DataFrame({"user_id": ["a"]}), "log")


@pytest.mark.parametrize(
    "odd", [[[1]], [{"a": 1}], [b"x"], [object()]], ids=["list", "struct", "bytes", "object"]
)
def test_ratings_of_odd_types_are_refused(odd: list[object]) -> None:
    frame = LOG.head(1).with_columns(
        rating=pl.Series(odd, dtype=pl.Object if type(odd[0]) is object else None)
    )
    with pytest.raises(InputError, match="column 'rating' has the type .*; give ratings as numbers"):
        events_from(frame.lazy(), {}, "absolute", "log")


@pytest.mark.parametrize(
    ("value", "kind"), [(2**64 - 1, pl.UInt64), (2**100, pl.Int128)], ids=["unsigned", "128 bits"]
)
def test_times_beyond_64_bits_are_refused(value: int, kind: type[pl.DataType]) -> None:
    frame = LOG.with_columns(timestamp=pl.lit(value, dtype=kind))
    with pytest.raises(InputError, match="log, row 1: timestamp"):
        events_from(frame.lazy(), {}, "absolute", "log")


def test_columns_that_are_not_read_may_be_odd() -> None:
    odd = LOG.to_pandas().assign(more=[object(), {1, 2}])
    with pytest.raises(
        InputError, match="log: column 'more' .* cannot be read .*; give every value one plain type"
    ):
        to_polars(odd, "log")
    assert to_polars(odd, "log", ["user_id", "none"]).columns == ["user_id"]


@pytest.mark.parametrize(
    "odd",
    [["x", 1], [1j, 2], [[1], ["x"]], pd.arrays.SparseArray([1, 2])],
    ids=["mixed", "complex", "lists", "sparse"],
)
def test_the_column_that_cannot_be_read_is_named(odd: Any) -> None:
    frame = LOG.to_pandas().head(2).assign(more=odd)
    with pytest.raises(InputError, match="log: column 'more' .* cannot be read"):
        to_polars(frame, "log")


def test_a_column_of_a_frame_given_twice_is_named() -> None:
    frame = LOG.to_pandas()
    with pytest.raises(InputError, match="log has the column 'item_id' twice; rename one"):
        to_polars(pd.concat([frame, frame[["item_id"]]], axis=1), "log")


def test_objects_among_the_columns_of_items_are_refused() -> None:
    frame = pl.DataFrame({"item_id": ["a"], "thing": pl.Series([object()], dtype=pl.Object)})
    with pytest.raises(InputError, match="column 'thing' has Python objects"):
        entities_from(frame, "item_id", {}, "items")


def test_whole_decimals_are_ids() -> None:
    ids = pl.Series("user_id", ["7", str(10**20)]).cast(pl.Decimal(38, 0))
    assert text_ids(ids, "log").to_list() == ["7", "100000000000000000000"]
    with pytest.raises(InputError, match="give ids as text or whole numbers"):
        text_ids(ids.cast(pl.Decimal(38, 2)), "log")


def with_offset() -> pa.Table:
    """A log with times of the zone +05:30, as pandas has it after it has parsed such texts."""
    times = pa.array([datetime(2020, 1, 1), datetime(2020, 1, 2)], pa.timestamp("us", "+05:30"))
    return LOG.to_arrow().set_column(2, "timestamp", times)


def test_times_of_a_fixed_offset_are_read_in_every_container(tmp_path: Path) -> None:
    table = with_offset()
    pq.write_table(table, tmp_path / "log.parquet")
    for frame in (table, table.to_pandas(), pl.read_parquet(tmp_path / "log.parquet")):
        events = events_from(to_polars(frame, "log").lazy(), {}, None, "log").events
        assert events["timestamp"].to_list() == [1577836800, 1577923200]
    items = entities_from(to_polars(table.drop_columns("user_id"), "items"), "item_id", {}, "items")
    assert items["timestamp"].dtype == pl.Datetime("us", "UTC")


def test_batches_of_arrow_are_read() -> None:
    (batch,) = LOG.to_arrow().combine_chunks().to_batches()
    for frame in (batch, pa.RecordBatchReader.from_batches(batch.schema, [batch])):
        assert to_polars(frame, "log").equals(LOG)
    odd = pa.RecordBatch.from_arrays([pa.array([(1, 2, 3)], pa.month_day_nano_interval())], ["t"])
    with pytest.raises(InputError, match="log cannot be read"):
        to_polars(odd, "log")


def test_types_that_polars_does_not_have_are_refused_in_one_line() -> None:
    odd = pa.array([(1, 2, 3)] * 2, pa.month_day_nano_interval())
    with pytest.raises(
        InputError, match="log: column 'more' .* cannot be read .*; give every value one plain type"
    ):
        to_polars(LOG.to_arrow().set_column(4, "more", odd), "log")
