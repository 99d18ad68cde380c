"""The table of what to gather: items and, for each, where its picture may be had."""

from pathlib import Path
from typing import Any

import polars as pl

from prism_rec.data.frames import text_ids, to_polars
from prism_rec.data.reading import reading
from prism_rec.data.sources.files import scan_table
from prism_rec.errors import InputError


def read_sources(table: Any, item_column: str, source_column: str) -> pl.DataFrame:
    """Return one row an item: `item_id` (string) and `sources` (list of strings in order of preference).

    An item may have several rows, a row may hold a list; both keep their order and repeats are dropped. Empty
    and null sources are dropped; an item without any stays, with an empty list.

    Args:
        table: a path to a table (.parquet, .csv, .tsv), or a frame of polars, pandas or Arrow.
        item_column: the column of item ids, text or whole numbers.
        source_column: the column of URLs or names of local photos, text or lists of text.

    Raises:
        InputError: the table cannot be read, lacks a column, or has one of another type.
    """
    is_file = isinstance(table, str | Path)
    where = str(table) if is_file else "sources"
    with reading(where):
        frame = (scan_table(Path(table)) if is_file else to_polars(table, where).lazy()).collect()
    for column in (item_column, source_column):
        if column not in frame.columns:
            raise InputError(
                f"{where} has no column {column!r} (found: {', '.join(frame.columns)}); name the right one"
            )
    lists = _to_lists(frame[source_column], where)
    single = pl.col("sources").explode().str.strip_chars()
    return (
        pl.DataFrame({"item_id": text_ids(frame[item_column], where), "sources": lists})
        .group_by("item_id", maintain_order=True)
        .agg(single.filter(single.str.len_bytes() > 0).unique(maintain_order=True))
    )


def _to_lists(column: pl.Series, where: str) -> pl.Series:
    if column.dtype == pl.List(pl.String):
        return column
    if column.dtype not in (pl.String, pl.Null):
        raise InputError(f"{where}: column {column.name!r} holds {column.dtype}; give text or lists of text")
    return column.cast(pl.String).reshape((-1, 1)).cast(pl.List(pl.String))
