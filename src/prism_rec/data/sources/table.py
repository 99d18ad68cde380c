"""Tables with one row per event: CSV, TSV, other text or Parquet, with columns of any name."""

from pathlib import Path
from typing import Literal, Self

import polars as pl
from pydantic import Field, model_validator

from prism_rec.config import Config
from prism_rec.data.event_table import EventTable, events_from
from prism_rec.data.frames import DEFAULT_COLUMNS
from prism_rec.data.raw_log import Part, RawLog, TimeKind
from prism_rec.data.sources.delimited import open_delimited
from prism_rec.data.sources.files import ENDINGS, is_text, read_items, scan_table
from prism_rec.data.sources.headerless import place_roles
from prism_rec.data.sources.merging import merge
from prism_rec.data.sources.paths import Paths, expand
from prism_rec.data.times import TimeUnit

Separator = Literal[",", "\t", ";", "|", "::", " "]


class Table(Config):
    """Tables with one row per event."""

    kind: Literal["table"] = "table"
    """Name of the source."""
    interactions: Paths
    """A file with one row per event: .parquet, or text (.csv, .tsv, .txt, .dat, .data, also .gz) with any usual
    separator and encoding. Also a folder of such files, or a pattern such as logs/*.csv. Repeat for more."""
    validation: Path | None = None
    """The events of the validation part, if the log is split already; needs `split` given."""
    test: Path | None = None
    """The events of the test part, if the log is split already; needs `split` given."""
    items: Path | None = None
    """A table with one row per item: its id, and any further columns, such as title."""
    columns: dict[str, str] = Field(default_factory=dict)
    """ROLE=NAME: the name of a column that is not called like its role; the roles are user (user_id), item (item_id),
    timestamp, rating, event (the type of the event) and history (a list of items, one row per user or session). In a
    table without a header, NAME is the place of the column, from 1. In RecBole's files, it is the name without its
    type."""
    time: TimeKind = "absolute"
    """What timestamps mean: dates or seconds since 1970 (absolute), seconds since the user's first event (relative),
    or only an order; then they may be missing, and the order of the rows counts."""
    time_unit: TimeUnit | None = None
    """The unit of timestamps that are numbers; if not given, their size tells seconds, milliseconds, microseconds and
    nanoseconds since 1970 apart."""
    separator: Separator | None = None
    """What is between the fields of a text file; if not given, the first line shows it."""
    encoding: str | None = None
    """The encoding of text files, such as latin-1; if not given, UTF-8, UTF-16 or Windows-1252, as the file shows."""
    header: bool | None = None
    """Whether the first line of text files has the names of the columns; if not given, a number among them means that
    it does not."""

    @model_validator(mode="after")
    def _has_both_parts(self) -> Self:
        if (self.validation is None) != (self.test is None):
            raise ValueError("give both `validation` and `test`, or neither")
        return self

    def files(self) -> tuple[Path, ...]:
        """Return the files that `read` reads.

        Raises:
            DataError: a folder or pattern without files, or a file that is named twice.
        """
        others = (self.validation, self.test, self.items)
        return (*expand(self.interactions, ENDINGS), *(path for path in others if path is not None))

    def read(self) -> RawLog:
        """Read the events and, if there is a table of them, the items.

        Raises:
            DataError: a file is missing, or a column or value is wrong.
        """
        tables = [self._read(path) for path in expand(self.interactions, ENDINGS)]
        if self.validation is not None and self.test is not None:
            tables = [table.of_part("training") for table in tables]
            parts: tuple[tuple[Part, Path], ...] = (("validation", self.validation), ("test", self.test))
            tables += [self._read(path).of_part(part) for part, path in parts]
        items, notes = read_items(self.items, self.columns, self.encoding)
        return merge(tables, self.files()).as_log(items=items, notes=notes)

    def _read(self, path: Path) -> EventTable:
        scan, columns, notes = self._scan(path)
        table = events_from(scan, columns, self.time, str(path), self.time_unit)
        return table.with_notes(notes)

    def _scan(self, path: Path) -> tuple[pl.LazyFrame, dict[str, str], tuple[str, ...]]:
        if not is_text(path):
            return scan_table(path), self.columns, ()
        text = open_delimited(path, self.separator, self.encoding, self.header, DEFAULT_COLUMNS.values())
        if text.has_header:
            return text.scan, self.columns, text.notes
        columns, notes = place_roles(text.scan, text.first_row, self.columns, str(path))
        return text.scan, columns, (*text.notes, *notes)
