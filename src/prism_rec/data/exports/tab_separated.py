"""Tables of tabs and line ends alone, without quoting, as RecBole and MMRec read them."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from prism_rec.errors import InputError

_SEPARATING = r"[\t\n\r\"]"


def write_tabs(frame: pl.DataFrame, path: Path) -> None:
    """Write a table; its texts hold no tab, line end or quote."""
    frame.write_csv(path, separator="\t", quote_style="never")


def require_plain(ids: pl.Series) -> None:
    """Refuse ids that such a table cannot hold; changing them would make other ids of them.

    Raises:
        InputError: one with a tab, a line end or a quote, or an empty one.
    """
    wrong = ids.filter(ids.str.contains(_SEPARATING) | (ids == ""))
    if len(wrong):
        raise InputError(
            f"{ids.name} {wrong[0]!r} is empty or holds a tab, line end or quote, which the format cannot; rename it"
        )


def flatten(column: pl.Series) -> pl.Series:
    """Return numbers as they are and anything else as text that the table can hold.

    A list's entries are joined by spaces, each with `_` for its own spaces; tabs, line ends and quotes in
    texts become spaces.
    """
    if column.dtype.is_numeric():
        return column
    if column.dtype == pl.List(pl.String):
        column = column.list.eval(pl.element().str.replace_all(r"\s+", "_")).list.join(" ")
    return column.cast(pl.String, strict=False).str.replace_all(_SEPARATING, " ")
