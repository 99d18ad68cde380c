"""The table of items and the sources of their pictures."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from prism_rec.data.frames import text_ids, to_polars, with_item_id
from prism_rec.data.reading import reading
from prism_rec.data.sources.files import scan_table
from prism_rec.errors import DataError, SettingsError
from prism_rec.folders import check_listed
from prism_rec.masking import mask


def read_sources(
    table: Any, source_column: str = "images", columns: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Return one row per item: `item_id` (string) and `sources` (list of strings, the best first).

    An item may have several rows, and a row may have a list or a text such as `a.jpg|b.jpg`; all keep their order.
    Repeated, empty and null sources are dropped. An item without sources is kept, with an empty list.

    Args:
        table: a path to a table (.parquet, .csv, .tsv), or a frame of polars, pandas or Arrow.
        source_column: the column of URLs or names of local photos, text or lists of text.
        columns: `item`, the column of item ids, text or whole numbers, if it is not `item_id`.

    Raises:
        SettingsError: the table lacks a column.
        DataError: the table cannot be read, or a column has another type.
    """
    is_file = isinstance(table, str | Path)
    where = str(table) if is_file else "sources"
    if is_file:
        check_listed(Path(table))
    with reading(where):
        frame = (scan_table(Path(table)) if is_file else to_polars(table, where).lazy()).collect()
    frame = with_item_id(frame, columns or {}, where)
    if source_column not in frame.columns:
        raise SettingsError(
            f"{where} has no column {source_column!r} (found: {', '.join(frame.columns)}); name the right one in "
            "`source_column`"
        )
    lists = _to_lists(frame[source_column], where)
    single = pl.col("sources").explode().str.strip_chars()
    return (
        pl.DataFrame({"item_id": text_ids(frame["item_id"], where), "sources": lists})
        .group_by("item_id", maintain_order=True)
        .agg(single.filter(single.str.len_bytes() > 0).unique(maintain_order=True))
    )


def recorded(items: pl.DataFrame) -> pl.DataFrame:
    """Return the items with their sources as they are recorded, see `recorded_name`."""
    if not items["sources"].explode().str.contains("[=@]").any():
        return items
    names = [[recorded_name(source) for source in sources] for sources in items["sources"]]
    return items.with_columns(sources=pl.Series(names, dtype=pl.List(pl.String)))


def recorded_name(source: str) -> str:
    """Return the name of a source in the folder: itself, or masked with a part of its hash if it has credentials."""
    masked = mask(source)
    return source if masked == source else f"{masked}#{hashlib.sha256(source.encode()).hexdigest()[:16]}"


def _to_lists(column: pl.Series, where: str) -> pl.Series:
    if column.dtype == pl.List(pl.String):
        return column
    if column.dtype not in (pl.String, pl.Null):
        raise DataError(
            f"{where}: column {column.name!r} has the type {column.dtype}; give text or lists of text"
        )
    return column.cast(pl.String).str.split("|")
