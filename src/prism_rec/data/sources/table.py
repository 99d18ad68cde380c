"""A table with one row per event: CSV, TSV or Parquet, with columns of any name."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from prism_rec.config import Config
from prism_rec.data.frames import events_from
from prism_rec.data.raw_log import RawLog, TimeKind
from prism_rec.data.sources.files import read_items, scan_table


class Table(Config):
    """A table with one row per event."""

    kind: Literal["table"] = "table"
    """Name of the source."""
    interactions: Path
    """A file .csv, .tsv (also .gz) or .parquet with one row per event."""
    items: Path | None = None
    """A table with one row per item: its id, and any further columns, such as title."""
    columns: dict[str, str] = Field(default_factory=dict)
    """ROLE=NAME: the name of a column that is not called user_id, item_id, timestamp or rating; the roles are user,
    item, timestamp and rating. In RecBole's files, the name without its type."""
    time: TimeKind = "absolute"
    """What timestamps mean: dates or seconds since 1970 (absolute), seconds since the user's first event (relative),
    or only an order; then they may be missing, and the order of the rows counts."""

    def files(self) -> tuple[Path, ...]:
        """Return the files that `read` reads."""
        return (self.interactions,) if self.items is None else (self.interactions, self.items)

    def read(self) -> RawLog:
        """Read the events and, if there is a table of them, the items.

        Raises:
            DataError: a file is missing, or a column or value is wrong.
        """
        where = str(self.interactions)
        return RawLog(
            events=events_from(scan_table(self.interactions), self.columns, self.time, where),
            items=read_items(self.items, self.columns),
            time=self.time,
        )
