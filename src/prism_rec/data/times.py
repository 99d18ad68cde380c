"""Times of any form as numbers, and the unit of these numbers."""

from typing import Any, Literal, NamedTuple, get_args

import polars as pl

from prism_rec.data.dates import read_dates
from prism_rec.data.decimals import read_decimals, split_decimals
from prism_rec.errors import DataError, SettingsError

TimeUnit = Literal["s", "ms", "us", "ns", "min", "h", "d"]
"""Seconds, milliseconds, microseconds, nanoseconds, minutes, hours, days."""
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""The parts of a second. Times of longer units are kept in seconds."""
IN_WORDS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_SECONDS = {"min": 60, "h": 3600, "d": 86_400}
_UNTIL = {"s": 1e11, "ms": 1e14, "us": 1e17, "ns": float("inf")}  # the year 5138, and 1973 in the next unit
_COMPACT = {  # whole numbers that are dates: from, to, form
    "20180924": (19_000_101, 20_991_231, "%Y%m%d"),
    "20180924142730": (19_000_101_000_000, 20_991_231_235_959, "%Y%m%d%H%M%S"),
}
_SERIALS = (30_000, 60_000)  # 1982 to 2064
_DAYS_TO_1970 = 25_569  # from the day 0 of spreadsheets
_MOST_SECONDS = 9_223_372_036
_FIX = "give seconds since 1970 or ISO 8601 (2018-09-24 14:27:30)"


class Times(NamedTuple):
    """A column of times.

    Attributes:
        numbers: Int64 if all are whole, else Float64; no nulls.
        unit: s, ms, us or ns.
        notes: what was inferred and may be wrong, one line each.
    """

    numbers: pl.Series
    unit: str
    notes: tuple[str, ...] = ()


def read_times(times: pl.Series, where: str, unit: TimeUnit | None = None, absolute: bool = True) -> Times:
    """Return times as numbers, with their unit.

    Numbers are kept as they are. Dates become seconds since 1970, or nanoseconds if they have parts of a microsecond,
    so that no two moments become one. Dates without a zone are UTC. See `dates.read_dates` for the forms of text.

    Args:
        times: whole or decimal numbers, dates, datetimes, durations or text; any length.
        where: the file or argument, for messages.
        unit: the unit of numbers; by default it is inferred from their size if they are absolute, else seconds.
        absolute: whether they count from 1970.

    Raises:
        DataError: a missing or wrong time, or times in different units; the message names the first.
        SettingsError: there is no such unit.
    """
    if unit is not None and unit not in get_args(TimeUnit):
        raise SettingsError(
            f"there is no {unit!r}; choose one of {', '.join(get_args(TimeUnit))}", key="time_unit"
        )
    numbers, dated = _numbers_of(times, where, unit in (None, "s"))
    if dated is not None:
        return Times(numbers, dated)
    wrong = numbers.is_null() | (numbers.is_finite().not_() if numbers.dtype.is_float() else False)
    if wrong.any():
        row = wrong.arg_max() or 0
        raise DataError(f"{where}, row {row + 1}: {times.name} {times[row]!r:.60} is not a time; {_FIX}")
    if not absolute or unit is not None:
        return _in(numbers, unit or "s", where)
    if (compact := _read_compact(numbers)) is not None:
        form = next(form for form, (first, last, _) in _COMPACT.items() if first <= numbers[0] <= last)
        note = f"{where}: {times.name} is read as dates of the form {form}; give `time_unit` if that is wrong"
        return Times(compact, "s", (note,))
    if numbers.is_between(*_SERIALS).all():
        note = (
            f"{where}: {times.name} is read as days since 1899-12-30, as spreadsheets write dates; give `time_unit` if "
            "that is wrong"
        )
        return Times(((numbers - _DAYS_TO_1970) * 86_400.0).round(3), "s", (note,))
    inferred = _infer(numbers, times, where)
    if inferred == "s" and 10_000 < numbers.max() < 315_532_800:  # type: ignore[operator]
        note = f"{where}: {times.name} is read as seconds, all before 1980; give `time_unit` if that is wrong"
        return Times(numbers, inferred, (note,))
    return Times(numbers, inferred)


def in_seconds(numbers: pl.Series, unit: str) -> pl.Series:
    """Return times as seconds; times in seconds are unchanged, others become Float64."""
    return numbers if unit == "s" else numbers / PER_SECOND[unit]


def seconds_of(text: str) -> float | None:
    """Return a date or a number of seconds since 1970 as seconds; None if the text is neither."""
    unit: TimeUnit | None = None if len(text.strip()) == 8 else "s"  # 20180924 is a date
    try:
        times = read_times(pl.Series("time", [text]), "", unit)
    except DataError:
        return None
    return float(in_seconds(times.numbers, times.unit).item())


def _numbers_of(times: pl.Series, where: str, seconds: bool) -> tuple[pl.Series, str | None]:
    """Return numbers, null or not finite if a time is wrong; and their unit, if that is known and all are right.

    Args:
        times: as in `read_times`.
        where: for messages.
        seconds: whether decimal numbers may be seconds, so that their parts are kept up to a nanosecond.
    """
    kind = times.dtype
    if kind.is_integer():
        return times.cast(pl.Int64, strict=False), None
    if kind.is_float():
        return times.cast(pl.Float64), None
    if kind.is_decimal():
        whole = times.cast(pl.Int64, strict=False)
        same = (whole == times).fill_null(False).all()
        return (whole, None) if same else _from_decimals(times, seconds)
    if kind in (pl.Date, pl.Datetime, pl.Duration):
        return _from_moments(times)
    if kind in (pl.String, pl.Categorical, pl.Enum):
        return _from_texts(times.cast(pl.String), seconds)
    raise DataError(
        f"{where}: column {times.name!r} has the type {kind}; give numbers, dates or ISO 8601 text"
    )


def _from_moments(times: pl.Series) -> tuple[pl.Series, str | None]:
    if times.dtype == pl.Date:
        return times.cast(pl.Int64) * 86_400.0, None if times.null_count() else "s"
    unit: str = times.dtype.time_unit  # type: ignore[attr-defined]
    whole = times.to_physical()
    return _shortest(whole // PER_SECOND[unit], whole % PER_SECOND[unit] * (10**9 // PER_SECOND[unit]))


def _from_decimals(decimals: pl.Series, seconds: bool) -> tuple[pl.Series, str | None]:
    """Return texts or decimals as Float64, or as nanoseconds if they are seconds and Float64 would lose a part."""
    numbers = read_decimals(decimals)
    if seconds and decimals.cast(pl.String).str.contains(r"[.,]\d{7,}$").any():
        exact, unit = _shortest(*split_decimals(decimals))
        if unit == "ns":
            return exact, unit
    return numbers, None


def _from_texts(texts: pl.Series, seconds: bool) -> tuple[pl.Series, str | None]:
    whole = texts.cast(pl.Int64, strict=False)
    if not whole.null_count():
        return whole, None
    stripped = texts.str.strip_chars()
    whole = stripped.cast(pl.Int64, strict=False)
    if not whole.null_count():
        return whole, None
    numbers, unit = _from_decimals(stripped, seconds)
    if not numbers.null_count():
        return numbers, unit
    # Numbers among dates are seconds.
    whole_seconds = (
        pl.when(pl.col("number").abs() < _UNTIL["s"]).then(pl.col("number").floor()).cast(pl.Int64)
    )
    nanos = ((pl.col("number") - pl.col("number").floor()) * 1e9).cast(pl.Int64, strict=False)
    dates = read_dates(stripped).with_columns(number=numbers)
    dates = dates.select(pl.coalesce("seconds", whole_seconds), pl.coalesce("nanos", nanos))
    return _shortest(dates["seconds"], dates["nanos"])


def _shortest(seconds: pl.Series, nanos: pl.Series) -> tuple[pl.Series, str | None]:
    """Return seconds as Float64; or whole nanoseconds if Float64 would lose a part and Int64 has room for all."""
    if seconds.null_count():
        return seconds, None
    if (nanos % 1000 != 0).any() and (seconds.abs() < _MOST_SECONDS).all():
        return seconds * 1_000_000_000 + nanos, "ns"
    return (seconds * 1_000_000 + nanos // 1000) / 1_000_000, "s"


def _in(numbers: pl.Series, unit: str, where: str) -> Times:
    if unit in PER_SECOND:
        return Times(numbers, unit)
    if numbers.cast(pl.Float64).abs().max() * _SECONDS[unit] > 2**62:  # type: ignore[operator]
        raise DataError(
            f"{where}: {numbers.name} has times that are too large for `time_unit` {unit}; check the unit"
        )
    return Times(numbers * _SECONDS[unit], "s")


def _read_compact(numbers: pl.Series) -> pl.Series | None:
    """Return numbers such as 20180924 as seconds, if all of them are dates of one such form."""
    for first, last, form in _COMPACT.values():
        if numbers.is_between(first, last).all() and (numbers == numbers.floor()).all():
            text = numbers.cast(pl.Int64).cast(pl.String)
            dates = (
                text.str.to_datetime(form, time_unit="us", strict=False)
                if "%H" in form
                else text.str.to_date(form, strict=False)
            )
            return (
                None if dates.null_count() else dates.cast(pl.Datetime("us")).dt.timestamp("us") / 1_000_000
            )
    return None


def _infer(numbers: pl.Series, times: pl.Series, where: str) -> str:
    """Return the unit that makes absolute times recent; 0 fits every unit."""
    sizes = numbers.cast(pl.Float64).abs()
    sizes = sizes.filter(sizes > 0)
    if not len(sizes):
        return "s"
    least, most = (_unit_of(size) for size in (sizes.min(), sizes.max()))
    if least != most:
        number = numbers.cast(pl.Float64).abs()
        row = int(((number > 0) & (number < _UNTIL[least])).arg_max() or 0)
        other = int((number >= _UNTIL[least]).arg_max() or 0)
        one = f"{IN_WORDS[least]} in row {row + 1} ({times[row]!r:.40})"
        another = f"{IN_WORDS[most]} or the like in row {other + 1} ({times[other]!r:.40})"
        raise DataError(
            f"{where}: {times.name} has {one} and {another}; give all times in one unit, or name it in `time_unit`"
        )
    return least


def _unit_of(size: Any) -> str:
    return next((unit for unit, until in _UNTIL.items() if size < until), "ns")
