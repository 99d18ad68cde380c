"""Lines of `user item item ...`, oldest item first, as in many published datasets: an order, but no times."""

from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field, field_validator

from prism_rec.config import Config
from prism_rec.data.raw_log import RawLog
from prism_rec.data.sources.files import read_items, read_lines
from prism_rec.data.sources.paths import Paths, expand
from prism_rec.errors import DataError

_ENDINGS = (".txt", ".dat", ".data", ".inter", ".seq", ".csv", ".tsv")


class Text(Config):
    """Lines of `user item item ...`, oldest item first, separated by spaces or tabs."""

    kind: Literal["text"] = "text"
    """Name of the source."""
    interactions: Paths
    """A file with the items of a user in each line (also .gz), a folder of such files, or a pattern such as logs/*.txt.
    Repeat for more."""
    items: Path | None = None
    """A table with one row per item: its id, and any further columns, such as title."""
    columns: dict[str, str] = Field(default_factory=dict)
    """ROLE=NAME: the name of a column that is not called like its role; the roles are user (user_id), item (item_id),
    timestamp, rating, event (the type of the event) and history (a list of items, one row per user or session). In a
    table without a header, NAME is the place of the column, from 1. In RecBole's files, it is the name without its
    type."""

    @field_validator("columns")
    @classmethod
    def _names_the_item_only(cls, columns: dict[str, str]) -> dict[str, str]:
        if set(columns) - {"item"}:
            raise ValueError("lines have no columns; only item=NAME is known, for the table of items")
        return columns

    def files(self) -> tuple[Path, ...]:
        """Return the files that `read` reads."""
        files = expand(self.interactions, _ENDINGS)
        return files if self.items is None else (*files, self.items)

    def read(self) -> RawLog:
        """Read the lines.

        Empty lines are skipped. A user with several lines has the items of all of them, in file order. The timestamp
        of an event is its position in the user's history, from 0.

        Raises:
            DataError: a file is missing or not text, or a user has no item.
        """
        parts = [_read(path) for path in expand(self.interactions, _ENDINGS)]
        events = pl.concat([events for events, _ in parts])
        items, notes = read_items(self.items, self.columns)
        return RawLog(
            events=events.with_columns(timestamp=pl.int_range(pl.len(), dtype=pl.Int64).over("user_id")),
            items=items,
            time="order",
            notes=(*(note for _, told in parts for note in told), *notes),
        )


def _read(path: Path) -> tuple[pl.DataFrame, tuple[str, ...]]:
    lines, notes = read_lines(path)
    words = pl.DataFrame({"words": lines.str.extract_all(r"[^ \t]+")}).with_row_index("line", offset=1)
    words = words.filter(pl.col("words").list.len() > 0)
    without_items = words.filter(pl.col("words").list.len() == 1)
    if len(without_items):
        line, (user,) = without_items.row(0)
        raise DataError(f"{path}, line {line}: user {user!r:.60} has no item; remove the line")
    events = words.select(user_id=pl.col("words").list.first(), item_id=pl.col("words").list.slice(1))
    return events.explode("item_id"), notes
