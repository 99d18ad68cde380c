"""Timestamps of any form as numbers of seconds."""

import polars as pl

from prism_rec.errors import DataError

_MICROSECONDS = 1_000_000
_FORMATS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f")
_FORMATS_WITH_ZONE = ("%Y-%m-%dT%H:%M%:z", "%Y-%m-%dT%H:%M:%S%.f%:z")


def to_seconds(times: pl.Series, where: str) -> pl.Series:
    """Return times as numbers: numbers unchanged, dates as seconds since 1970.

    Numbers keep their unit: milliseconds have the same order and quantiles as seconds. Dates and texts without a
    zone are taken as UTC. Texts may be numbers or ISO 8601: `2018-09-24`,
    `2018-09-24 14:27:30`, `2018-09-24T14:27:30.5+02:00`, `...Z`.

    Args:
        times: whole or decimal numbers, dates, datetimes or text; any length.
        where: the file or argument, for messages.

    Returns:
        Whole numbers if all are whole, else decimal numbers; no nulls.

    Raises:
        DataError: a missing or wrong time; the message names the first.
    """
    if times.dtype.is_integer():
        seconds = times.cast(pl.Int64, strict=False)
    elif times.dtype.is_float():
        seconds = times.cast(pl.Float64)
    elif times.dtype in (pl.Date, pl.Datetime):
        seconds = times.dt.timestamp("us") / _MICROSECONDS
    elif times.dtype == pl.String:
        seconds = _parse(times)
    else:
        raise DataError(
            f"{where}: column {times.name!r} has the type {times.dtype}; give numbers, dates or ISO 8601 text"
        )
    wrong = seconds.is_null() | (seconds.is_finite().not_() if seconds.dtype.is_float() else False)
    if wrong.any():
        row = wrong.arg_max() or 0
        raise DataError(
            f"{where}, row {row + 1}: {times.name} {times[row]!r} is not a time; "
            "give seconds since 1970 or ISO 8601 (2018-09-24 14:27:30)"
        )
    return seconds


def _parse(texts: pl.Series) -> pl.Series:
    whole = texts.cast(pl.Int64, strict=False)
    if not whole.null_count():
        return whole
    numbers = texts.cast(pl.Float64, strict=False)
    return numbers if not numbers.null_count() else numbers.fill_null(_parse_iso(texts))


def _parse_iso(texts: pl.Series) -> pl.Series:
    text = pl.col("text").str.replace(" ", "T", literal=True).str.replace("Z$", "+00:00")
    parsed = [text.str.to_datetime(form, time_unit="us", strict=False, exact=True) for form in _FORMATS]
    parsed += [
        text.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False).dt.replace_time_zone(None)
        for form in _FORMATS_WITH_ZONE
    ]
    moments = pl.DataFrame({"text": texts}).select(pl.coalesce(parsed)).to_series()
    return moments.dt.timestamp("us") / _MICROSECONDS
