from datetime import date, datetime

import polars as pl
import pytest

from prism_rec.data.times import to_seconds
from prism_rec.errors import InputError

NOON = 1537790400  # 2018-09-24 12:00 UTC


@pytest.mark.parametrize(
    "text",
    [
        "2018-09-24T12:00",
        "2018-09-24 12:00:00",
        "2018-09-24T12:00:00.000",
        "2018-09-24T12:00:00Z",
        "2018-09-24 14:00:00+02:00",
        str(NOON),
        f"{NOON}.0",
    ],
)
def test_texts_of_one_moment_are_one_number(text: str) -> None:
    assert to_seconds(pl.Series("timestamp", [text]), "log").to_list() == [NOON]


def test_dates_are_midnight_utc_and_forms_may_mix() -> None:
    texts = pl.Series("timestamp", ["2018-09-24", "2018-09-24T12:00:00.5Z", "7"])
    assert to_seconds(texts, "log").to_list() == [NOON - 12 * 3600, NOON + 0.5, 7]
    assert to_seconds(pl.Series("t", [date(2018, 9, 24)]), "log").to_list() == [NOON - 12 * 3600]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_datetimes_of_any_unit_and_zone(unit: str) -> None:
    naive = pl.Series("t", [datetime(2018, 9, 24, 12)]).cast(pl.Datetime(unit))  # type: ignore[arg-type]
    elsewhere = naive.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")
    assert to_seconds(naive, "log").to_list() == to_seconds(elsewhere, "log").to_list() == [NOON]


def test_whole_numbers_stay_whole_and_exact() -> None:
    nanoseconds = 1_537_790_400_123_456_789
    assert to_seconds(pl.Series("t", [str(nanoseconds)]), "log").to_list() == [nanoseconds]
    assert to_seconds(pl.Series("t", [7], dtype=pl.UInt32), "log").dtype == pl.Int64


@pytest.mark.parametrize(
    "times",
    [
        ["1", "yesterday"],
        ["2018-09-24", "2018-13-01"],
        ["1", None],
        ["1", "nan"],
        [1.5, float("inf")],
        [1.5, float("nan")],
        [1, None],
        [date(2018, 9, 24), None],
    ],
)
def test_the_first_time_that_is_none_is_named(times: list[object]) -> None:
    with pytest.raises(
        InputError, match=r"^log\.csv, row 2: timestamp .* is not a time; give seconds"
    ) as error:
        to_seconds(pl.Series("timestamp", times), "log.csv")
    assert repr(times[1]) in str(error.value)


def test_a_column_of_another_type_is_refused() -> None:
    with pytest.raises(
        InputError, match="column 'timestamp' has the type Boolean; give numbers, dates or ISO 8601"
    ):
        to_seconds(pl.Series("timestamp", [True]), "log")
