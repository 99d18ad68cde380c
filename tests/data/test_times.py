from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import polars as pl
import pytest

from prism_rec.data.times import in_seconds, read_times, seconds_of
from prism_rec.errors import InputError

NOON = 1537790400  # 2018-09-24 12:00 UTC


def seconds(*times: object, unit: str | None = None) -> list[float]:
    read = read_times(pl.Series("timestamp", list(times), strict=False), "log", unit)  # type: ignore[arg-type]
    return in_seconds(read.numbers, read.unit).to_list()


@pytest.mark.parametrize(
    "text",
    [
        "2018-09-24T12:00",
        "2018-09-24 12:00:00",
        "2018-09-24T12:00:00.000",
        "2018-09-24T12:00:00Z",
        "2018-09-24t12:00:00z",
        "2018-09-24 14:00:00+02:00",
        "2018-09-24 14:00:00+0200",
        "2018-09-24 14:00:00+02",
        "2018-09-24 17:30:00.000+05:30",
        "2018-09-24T12:00:00-00:00",
        "2018-09-24T08:00:00\N{MINUS SIGN}04",
        "2018-09-24 12:00:00 UTC",
        "2018-09-24 12:00:00.000000 UTC",
        "2018-09-24 12:00:00 +00:00",
        "20180924T120000Z",
        "20180924T1200",
        "2018-09-24T12",
        "2018-09-24T11.5+00:30".replace("+00:30", "-00:30"),
        "2018-09-24T12:00:00,0",
        "2018-W39-1T12:00:00",
        "2018W391T120000",
        "2018-267T12:00",
        "2018267T1200Z",
        "2018/09/24 12:00:00",
        "  2018-09-24   12:00:00 ",
        "2018-09-24T11:59:60",
        "Mon, 24 Sep 2018 12:00:00 GMT",
        "Mon, 24 Sep 2018 14:00:00 +0200",
        "Mon Sep 24 12:00:00 +0000 2018",
        "24/Sep/2018:12:00:00 +0000",
        str(NOON),
        f"{NOON} ",
        f"{NOON}.0",
        "1.5377904e9",
    ],
)
def test_texts_of_one_moment_are_one_number(text: str) -> None:
    assert seconds(text) == [NOON]


@pytest.mark.parametrize(
    "text",
    [
        "2018-09-24",
        "20180924",
        "2018-W39",
        "2018W391",
        "2018-267",
        "24 Sep 2018",
        "Sep 24, 2018",
        "09 24, 2018",
    ],
)
def test_dates_are_midnight_utc(text: str) -> None:
    assert seconds(text) == [NOON - 12 * 3600]


def test_a_day_ends_at_24_and_a_month_begins_with_its_first_day() -> None:
    assert seconds("2018-09-23T24:00") == seconds("2018-09-24")
    assert seconds("2018-09") == seconds("2018-09-01")


@pytest.mark.parametrize("offset", [-12, -3.5, 0, 5.75, 14])
@pytest.mark.parametrize("form", ["auto", "milliseconds", "microseconds", "minutes"])
def test_what_python_writes_is_read(offset: float, form: str) -> None:
    moment = datetime(2031, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=offset)))
    assert seconds(moment.isoformat(timespec=form)) == [moment.timestamp()]


def test_forms_may_mix() -> None:
    texts = ["2018-09-24", "2018-09-24T12:00:00.5Z", "7", "2018-W39-1"]
    assert seconds(*texts) == [NOON - 12 * 3600, NOON + 0.5, 7, NOON - 12 * 3600]
    assert seconds(date(2018, 9, 24)) == [NOON - 12 * 3600]
    assert seconds(Decimal("1537790400"), Decimal("1537790400.5")) == [NOON, NOON + 0.5]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_datetimes_of_any_unit_and_zone(unit: str) -> None:
    naive = pl.Series("t", [datetime(2018, 9, 24, 12)]).cast(pl.Datetime(unit))  # type: ignore[arg-type]
    elsewhere = naive.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")
    for times in (naive, elsewhere):
        assert read_times(times, "log")[:2][1] == "s"
        assert read_times(times, "log").numbers.to_list() == [NOON]


def test_nanoseconds_are_kept_as_datetimes_texts_and_numbers() -> None:
    expected = [1537790400123456789, 1537790400123456790]
    numbers = pl.Series("t", expected)
    texts = pl.Series("t", ["2018-09-24 12:00:00.123456789", "2018-09-24T12:00:00.12345679Z"])
    for times in (numbers, numbers.cast(pl.String), numbers.cast(pl.Datetime("ns")), texts):
        read = read_times(times, "log")
        assert (read.numbers.to_list(), read.unit) == (expected, "ns")


def test_microseconds_stay_apart_as_seconds() -> None:
    read = read_times(pl.Series("t", ["2018-09-24 12:00:00.000001", "2018-09-24 12:00:00.000002"]), "log")
    assert read.unit == "s"
    assert read.numbers.n_unique() == 2


@pytest.mark.parametrize(("factor", "unit"), [(1, "s"), (10**3, "ms"), (10**6, "us"), (10**9, "ns")])
def test_the_unit_of_numbers_is_inferred_and_numbers_are_kept(factor: int, unit: str) -> None:
    given = [NOON * factor, (NOON - 10**9) * factor, 0]
    for times in (pl.Series("t", given), pl.Series("t", map(str, given))):
        read = read_times(times, "log")
        assert (read.numbers.to_list(), read.unit) == (given, unit)
    assert read_times(pl.Series("t", given), "log", "s").unit == "s"
    assert read_times(pl.Series("t", given), "log", absolute=False).unit == "s"


@pytest.mark.parametrize("factor", [10**3, 10**6, 10**9])
def test_mixed_units_are_refused_and_both_rows_are_named(factor: int) -> None:
    with pytest.raises(
        InputError, match=r"log: t has seconds in row 2 \(1537790400\) and .* in row 1 .*`time_unit`"
    ):
        read_times(pl.Series("t", [NOON * factor, NOON]), "log")
    with pytest.raises(InputError, match="row 1: t '1537790400000' is not a time"):
        read_times(pl.Series("t", [str(NOON * 1000), "2018-09-24"]), "log")


def test_longer_units_become_seconds() -> None:
    assert seconds(1, 2, unit="d") == [86_400, 172_800]
    assert seconds("0.5", unit="h") == [1800]
    assert seconds(3, unit="min") == [180]
    with pytest.raises(InputError, match="too large for `time_unit` d"):
        seconds(2**60, unit="d")
    with pytest.raises(InputError, match="there is no 'y'; choose one of s, ms"):
        seconds(1, unit="y")


@pytest.mark.parametrize(
    ("number", "text"),
    [(20180924, "2018-09-24"), (20180924120000, "2018-09-24 12:00"), (20180924.0, "2018-09-24")],
)
def test_numbers_that_are_dates_are_read_as_dates_with_a_note(number: float, text: str) -> None:
    read = read_times(pl.Series("t", [number]), "log")
    assert read.numbers.to_list() == seconds(text)
    assert "dates of the form 2018" in read.notes[0]
    assert read_times(pl.Series("t", [number, number // 10**4 * 10**4 + 9999]), "log").numbers[0] == number


def test_days_taken_for_seconds_are_told() -> None:
    assert "before 1980" in read_times(pl.Series("t", [17_000, 17_800]), "log").notes[0]
    assert read_times(pl.Series("t", [NOON]), "log").notes == ()


def test_whole_numbers_stay_whole() -> None:
    assert read_times(pl.Series("t", [7], dtype=pl.UInt32), "log").numbers.dtype == pl.Int64


@pytest.mark.parametrize(
    "times",
    [
        ["1", "yesterday"],
        ["2018-09-24", "2018-13-01"],
        ["2018-09-24", "2018-02-29"],
        ["2018-09-24", "2018-09-24 25:00"],
        ["2018-09-24", "2018-09-24 12:61"],
        ["2018-09-24", "09/24/2018"],
        ["2018-09-24", "2018-W60-1"],
        ["2018-09-24", "2018-09-24 12:00 CET"],
        ["1", None],
        ["1", ""],
        ["1", "nan"],
        [1.5, float("inf")],
        [1.5, float("nan")],
        [1, None],
        [date(2018, 9, 24), None],
        [1, 2**63],
    ],
)
def test_the_first_time_that_is_none_is_named(times: list[object]) -> None:
    kind = pl.UInt64 if times[1] == 2**63 else None
    with pytest.raises(
        InputError, match=r"^log\.csv, row 2: timestamp .* is not a time; give seconds"
    ) as error:
        read_times(pl.Series("timestamp", times, dtype=kind), "log.csv")
    assert repr(times[1]) in str(error.value)


def test_a_column_of_another_type_is_refused() -> None:
    with pytest.raises(
        InputError, match="column 'timestamp' has the type Boolean; give numbers, dates or ISO 8601"
    ):
        read_times(pl.Series("timestamp", [True]), "log")


def test_a_moment_is_a_date_or_a_number_of_seconds() -> None:
    assert seconds_of("2018-09-24 12:00") == seconds_of(str(NOON)) == NOON
    assert seconds_of("20180924") == NOON - 12 * 3600
    assert seconds_of("soon") is None


@pytest.mark.parametrize("mark", [".", ","])
def test_nanoseconds_of_decimal_seconds_are_kept(mark: str) -> None:
    texts = ["1537790400.123456789", "-1.5", "7"]
    for times in (
        pl.Series("t", [text.replace(".", mark) for text in texts]),
        pl.Series("t", list(map(Decimal, texts)), dtype=pl.Decimal(38, 9)),
    ):
        read = read_times(times, "log")
        assert (read.numbers.to_list(), read.unit) == ([1537790400123456789, -1500000000, 7 * 10**9], "ns")
        assert read_times(times, "log", "s").unit == "ns"
        assert read_times(times, "log", "ms").unit == "ms"
    milliseconds = read_times(pl.Series("t", ["1537790400000.1234567"]), "log")
    assert (milliseconds.numbers.to_list(), milliseconds.unit) == ([1537790400000.1234567], "ms")


def test_seconds_may_have_a_decimal_comma() -> None:
    assert seconds("1537790400,25", "1537790401,5") == [NOON + 0.25, NOON + 1.5]


@pytest.mark.parametrize("text", ["24.09.2018", "24.9.2018"])
def test_dates_with_dots_begin_with_the_day(text: str) -> None:
    assert seconds(text) == [NOON - 12 * 3600]
    assert seconds(f"{text} 12:00:00") == [NOON]
    with pytest.raises(InputError, match="'31.02.2018' is not a time"):
        seconds("31.02.2018")


def test_days_of_a_spreadsheet_are_dates_with_a_note() -> None:
    for days in ([43367.5, 43367.0], ["43367,5", "43367"]):
        read = read_times(pl.Series("t", days, strict=False), "log")
        assert read.numbers.to_list() == [NOON, NOON - 12 * 3600]
        assert "log: t is read as days since 1899-12-30, as spreadsheets write dates; give" in read.notes[0]
    assert seconds(43367, unit="s") == [43367]
    assert seconds(43367, 1) == [43367, 1]
