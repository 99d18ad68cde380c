"""Lines of `user item item ...`, oldest item first, as in many published datasets: an order, but no times."""

from pathlib import Path
from typing import Literal

import polars as pl

from prism_rec.config import Config
from prism_rec.data.raw_log import RawLog
from prism_rec.data.sources.files import read_items, read_lines
from prism_rec.errors import DataError


class Text(Config):
    """Lines of `user item item ...`, oldest item first, separated by spaces or tabs."""

    kind: Literal["text"] = "text"
    """Name of the source."""
    interactions: Path
    """A text file (also .gz) with the items of a user in each line."""
    items: Path | None = None
    """A table with one row per item: its id, and any further columns, such as title."""
    item_column: str = "item_id"
    """The name of the id column of the table of items."""

    def files(self) -> tuple[Path, ...]:
        """Return the files that `read` reads."""
        return (self.interactions,) if self.items is None else (self.interactions, self.items)

    def read(self) -> RawLog:
        """Read the lines.

        Empty lines are skipped. A user with several lines has the items of all of them, in file order. The timestamp
        of an event is its position in the user's history, from 0.

        Raises:
            DataError: a file is missing or not text, or a user has no item.
        """
        lines = read_lines(self.interactions)
        words = pl.DataFrame({"words": lines.str.extract_all(r"[^ \t]+")}).with_row_index("line", offset=1)
        words = words.filter(pl.col("words").list.len() > 0)
        without_items = words.filter(pl.col("words").list.len() == 1)
        if len(without_items):
            line, (user,) = without_items.row(0)
            raise DataError(f"{self.interactions}, line {line}: user {user!r} has no item; remove the line")
        events = words.select(
            user_id=pl.col("words").list.first(), item_id=pl.col("words").list.slice(1)
        ).explode("item_id")
        return RawLog(
            events=events.with_columns(timestamp=pl.int_range(pl.len(), dtype=pl.Int64).over("user_id")),
            items=read_items(self.items, {"item": self.item_column}),
            time="order",
        )
