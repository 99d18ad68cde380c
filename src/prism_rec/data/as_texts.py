"""Columns of any type as texts that people read."""

from typing import Any

import polars as pl


def as_texts(column: pl.Series) -> pl.Series:
    """Return every value as text; null stays null, and so does nan.

    Args:
        column: of any type. Entries of a list are joined by commas, bytes are read as UTF-8.
    """
    kind = column.dtype
    if kind.is_nested() or kind in (pl.Binary, pl.Duration, pl.Object, pl.Unknown):
        return pl.Series(column.name, list(map(_as_text, column.to_list())), pl.String)
    if kind.is_float():
        column = column.fill_nan(None)
    return column.cast(pl.String)


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return ", ".join(filter(None, map(_as_text, value))) or None
    return str(value)
