"""Lines of `user item item ...`, oldest item first, as many published sets are: order, but no time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from prism_rec.data.raw_log import RawLog, TimeKind
from prism_rec.data.sources.files import read_items, read_lines, refuse
from prism_rec.errors import InputError


def read_text(
    interactions: Path,
    items: Path | None,
    columns: Mapping[str, str],
    time: TimeKind | None,
    photos: Path | None = None,
) -> RawLog:
    """Read the lines, ids parted by spaces or tabs; see `Source`.

    Empty lines are passed over; a user of several lines has the items of all, in file order. The timestamp of
    an event is its place in the user's history, from 0. Of `columns`, `item` alone has a use: it names the id
    column of the items file.
    """
    other_columns = {role: name for role, name in columns.items() if role != "item"}
    refuse("text", time=time, columns=other_columns, photos=photos)
    lines = read_lines(interactions)
    words = pl.DataFrame({"words": lines.str.extract_all(r"[^ \t]+")}).with_row_index("line", offset=1)
    words = words.filter(pl.col("words").list.len() > 0)
    alone = words.filter(pl.col("words").list.len() == 1)
    if len(alone):
        line, (user,) = alone.row(0)
        raise InputError(f"{interactions}, line {line}: user {user!r} has no item; remove the line")
    events = words.select(
        user_id=pl.col("words").list.first(), item_id=pl.col("words").list.slice(1)
    ).explode("item_id")
    return RawLog(
        events=events.with_columns(timestamp=pl.int_range(pl.len(), dtype=pl.Int64).over("user_id")),
        items=read_items(items, columns),
        time="order",
        files=(interactions,) if items is None else (interactions, items),
    )
