"""Numbers that are written as text, with a decimal point or, as in much of Europe, a decimal comma."""

import polars as pl

_COMMA = r"^([+-]?(?:0|\d{4,})),(\d+)$|^([+-]?\d+),(\d{1,2}|\d{4,})$"
"""A comma that cannot be between thousands, as in 4,5 or 1600000000,125 but not in 1,600."""


def read_decimals(values: pl.Series) -> pl.Series:
    """Return values as Float64, null if a value is missing, empty, not a number, or nan.

    Args:
        values: texts or numbers; spaces around a text do not count.
    """
    if values.dtype in (pl.Categorical, pl.Enum):
        values = values.cast(pl.String)
    if values.dtype == pl.String:
        values = values.str.strip_chars()
        if values.str.contains(",", literal=True).any():
            values = values.str.replace(_COMMA, "${1}${3}.${2}${4}")
    return values.cast(pl.Float64, strict=False).fill_nan(None)


def split_decimals(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the whole part below each number, as Int64, and the nanos above it: -1.25 is -2 and 750,000,000.

    Float64 would lose digits of times that have nanoseconds.

    Args:
        values: texts without outer spaces, or decimals; null in both results if a value has another form.
    """
    parts = values.cast(pl.String).str.extract_groups(r"^([+-]?)(\d+)(?:[.,](\d+))?$").struct.unnest()
    sign, whole, part = parts.iter_columns()
    numbers = pl.DataFrame(
        {
            "whole": whole.cast(pl.Int64, strict=False),
            "nanos": part.fill_null("0").str.slice(0, 9).str.pad_end(9, "0").cast(pl.Int64),
            "below": sign == "-",
        }
    )
    borrowed = pl.col("nanos") > 0
    numbers = numbers.with_columns(
        whole=pl.when("below").then(-pl.col("whole") - borrowed.cast(pl.Int64)).otherwise("whole"),
        nanos=pl.when(pl.col("below") & borrowed).then(10**9 - pl.col("nanos")).otherwise("nanos"),
    )
    return numbers["whole"], numbers["nanos"]
