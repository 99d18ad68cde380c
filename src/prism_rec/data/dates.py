"""Dates and times written as text, in the forms that databases, languages and people use."""

import polars as pl

_CALENDAR = r"(?P<year>\d{4})(?P<mark>[-/]?)(?P<month>\d{2})(?:[-/]?(?P<day>\d{2}))?"
_DAYS = {  # a pattern of the day, and the form of the day without its marks
    _CALENDAR: "%Y%m%d",
    r"(?P<year>\d{4})(?P<mark>-?)W(?P<month>\d{2})(?:-?(?P<day>[1-7]))?": "%GW%V%u",
    r"(?P<year>\d{4})(?P<mark>-?)(?P<month>\d{3})(?P<day>)": "%Y%j",
    r"(?P<day>\d{1,2})(?P<mark>\.)(?P<month>\d{1,2})\.(?P<year>\d{4})": "%Y%m%d",
}
_CLOCK = (
    r"(?:(?:[Tt]|\s+)(?P<hour>\d{2})(?::?(?P<minute>\d{2})(?::?(?P<second>\d{2}))?)?(?:[.,](?P<part>\d+))?)?"
    r"(?:\s*(?:Z|z|UTC|GMT|(?P<sign>[+\x{2212}-])(?P<off_hour>\d{2})(?::?(?P<off_minute>\d{2}))?(?::00)?))?"
)
_OTHERS = (  # of mails, web servers and Twitter, of Amazon's reviewTime, and of people
    "%a, %d %b %Y %H:%M:%S %z",
    "%d/%b/%Y:%H:%M:%S %z",
    "%a %b %d %H:%M:%S %z %Y",
    "%a %b %d %H:%M:%S %Y",
    "%d %b %Y %H:%M:%S",
    "%b %d, %Y %H:%M:%S",
    "%d %b %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%m %d, %Y",
)
_SECOND = 1_000_000_000


def read_dates(texts: pl.Series) -> pl.DataFrame:
    """Return texts as `seconds` since 1970 and `nanos`, the nanoseconds after them; null if a text is not a date.

    These are read: every form of ISO 8601 with a full date (extended and basic, weeks, days of the year, decimal
    commas, 24:00), the forms of Postgres, BigQuery, pandas and Python, 24.9.2018, and dates with an English month. A
    time without a zone is UTC. A month without a day is its first day, a week is its Monday. Parts of a nanosecond are
    cut.

    Args:
        texts: any length; spaces around a text do not count.
    """
    found = pl.DataFrame({"text": texts.str.strip_chars()}).with_row_index("row")
    moments = pl.DataFrame(schema={"row": pl.UInt32, "seconds": pl.Int64, "nanos": pl.Int64})
    for day, form in _DAYS.items():
        if not len(found):
            break
        read = _read_iso(found, day, form)
        moments = moments.vstack(read.drop_nulls())
        found = found.filter(read["seconds"].is_null())
    if len(found):
        moments = moments.vstack(_read_others(found).drop_nulls())
    rows = pl.DataFrame({"row": pl.int_range(len(texts), dtype=pl.UInt32, eager=True)})
    return rows.join(moments, on="row", how="left", maintain_order="left").drop("row")


def _read_iso(found: pl.DataFrame, day: str, form: str) -> pl.DataFrame:
    fields = found["text"].str.extract_groups(f"^{day}{_CLOCK}$").struct.unnest()
    # Without a mark, 201809 is a number, not a month.
    first = pl.when(pl.col("mark") != "").then(pl.lit("1" if "%u" in form else "01"))
    letter = pl.lit("W" if "%G" in form else "")
    day_of = pl.col("day") if "%u" in form or "%j" in form else pl.col("day").str.zfill(2)
    date = pl.concat_str(
        "year", letter, pl.col("month").str.zfill(2), pl.coalesce(day_of, first)
    ).str.to_date(form, strict=False)
    return _add_clock(fields.with_columns(date=date, row=found["row"]))


def _add_clock(fields: pl.DataFrame) -> pl.DataFrame:
    def number(name: str) -> pl.Expr:
        return pl.col(name).cast(pl.Int64).fill_null(0)

    # A decimal part belongs to the last unit that is given: 12:30,5 is half past, and 30 seconds.
    unit = (
        pl.when(pl.col("second").is_not_null())
        .then(1)
        .when(pl.col("minute").is_not_null())
        .then(60)
        .otherwise(3600)
    )
    part = pl.col("part").str.slice(0, 9).str.pad_end(9, "0").cast(pl.Int64).fill_null(0) * unit
    clock = number("hour") * 3600 + number("minute") * 60 + number("second")
    offset = number("off_hour") * 3600 + number("off_minute") * 60
    zone = pl.when(pl.col("sign") == "+").then(offset).otherwise(-offset)
    valid = (clock <= 86_400) & (number("minute") < 60) & (number("second") <= 60) & (offset < 86_400)
    seconds = pl.col("date").cast(pl.Int64) * 86_400 + clock - zone + part // _SECOND
    return fields.select("row", seconds=pl.when(valid).then(seconds), nanos=part % _SECOND)


def _read_others(found: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text").str.replace(r"\b(?:GMT|UTC)\b", "+0000")
    seconds = pl.coalesce(_epoch(text, form) for form in _OTHERS)
    return found.select(
        "row", seconds=seconds, nanos=pl.when(seconds.is_not_null()).then(pl.lit(0, pl.Int64))
    )


def _epoch(text: pl.Expr, form: str) -> pl.Expr:
    if "%H" not in form:
        return text.str.to_date(form, strict=False).cast(pl.Int64) * 86_400
    zone = "UTC" if "%z" in form else None
    return (
        text.str.to_datetime(form, time_unit="us", time_zone=zone, strict=False).dt.epoch("s").cast(pl.Int64)
    )
