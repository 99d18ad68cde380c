"""Tab-separated tables without quoting, as RecBole and MMRec read them."""

from pathlib import Path

import polars as pl

from prism_rec.data.as_texts import as_texts
from prism_rec.errors import DataError

_SEPARATING = r"[\t\n\r\"]"


def write_tabs(frame: pl.DataFrame, path: Path) -> None:
    """Write a table; its texts must not have a tab, line end or quote."""
    frame.write_csv(path, separator="\t", quote_style="never")


def require_plain(ids: pl.Series) -> None:
    """Refuse ids that such a table cannot have; changing them would make them other ids.

    Raises:
        DataError: one with a tab, a line end or a quote, or an empty one.
    """
    wrong = ids.filter(ids.str.contains(_SEPARATING) | (ids == ""))
    if len(wrong):
        raise DataError(
            f"{ids.name} {wrong[0]!r} is empty or has a tab, line end or quote, "
            "which the format does not allow; rename it"
        )


def flatten(column: pl.Series) -> pl.Series:
    """Return numbers unchanged, and everything else as text that the table can have.

    The entries of a list are joined by spaces, and spaces in an entry become `_`. Tabs, line ends and quotes in texts
    become spaces.
    """
    if column.dtype.is_numeric():
        return column
    if column.dtype == pl.List(pl.String):
        column = column.list.eval(pl.element().str.replace_all(r"\s+", "_")).list.join(" ")
    return as_texts(column).str.replace_all(_SEPARATING, " ")
