"""RecBole's atomic files: tab-separated, every column headed `name:type`, without quoting."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field

from prism_rec.config import Config
from prism_rec.data.event_table import EventTable, events_from
from prism_rec.data.frames import complete_columns, entities_from
from prism_rec.data.raw_log import PARTS, Part, RawLog, TimeKind
from prism_rec.data.reading import reading
from prism_rec.data.sources.atomic import find_inter, find_parts, scan_atomic
from prism_rec.data.sources.merging import merge
from prism_rec.data.sources.paths import Paths, expand
from prism_rec.data.times import TimeUnit


class RecBole(Config):
    """RecBole's files `NAME.inter` and, if there are any, `NAME.item` and `NAME.user`."""

    kind: Literal["recbole"] = "recbole"
    """Name of the source."""
    interactions: Paths
    """The .inter file, or its folder; from a folder, the .item file is read too. A folder may have the three files
    .train.inter, .valid.inter and .test.inter instead: the parts of `split` given. Repeat for more files."""
    items: Path | None = None
    """The .item file, if it is not next to the .inter file."""
    columns: dict[str, str] = Field(default_factory=dict)
    """ROLE=NAME: the name of a column that is not called like its role; the roles are user (user_id), item (item_id),
    timestamp, rating, event (the type of the event) and history (a list of items, one row per user or session). In a
    table without a header, NAME is the place of the column, from 1. In RecBole's files, it is the name without its
    type."""
    time: TimeKind | None = None
    """What timestamps mean; absolute if there is a column of timestamps, or only one that looks like it, else order."""
    time_unit: TimeUnit | None = None
    """The unit of timestamps that are numbers; if not given, their size tells seconds, milliseconds, microseconds and
    nanoseconds since 1970 apart."""

    def files(self) -> tuple[Path, ...]:
        """Return the files that `read` reads.

        Raises:
            DataError: a folder that has neither one .inter file nor the three parts.
        """
        interactions, *others = self._paths()
        return (*(path for path, _ in interactions), *(path for path in others if path is not None))

    def read(self) -> RawLog:
        """Read the events, items and users.

        Columns of the type `float` become numbers, all others text. Without a column of timestamps, the order of the
        rows counts. A column ITEM_list next to the column ITEM has the items before it, as in RecBole's session data.

        Raises:
            DataError: a file is missing, or a column or value is wrong.
        """
        interactions, items, users = self._paths()
        tables = [self._read(path, part) for path, part in interactions]
        return merge(tables, [path for path, _ in interactions]).as_log(
            items=_read_entities(items, "item_id", self.columns),
            users=_read_entities(users, "user_id", self.columns),
        )

    def _read(self, path: Path, part: Part | None) -> EventTable:
        scan, _ = scan_atomic(path)
        with reading(str(path)):
            names = scan.collect_schema().names()
        columns = dict(self.columns)
        item = complete_columns(columns)["item"]
        if f"{item}_list" in names and "history" not in columns:
            columns["history"] = f"{item}_list"
        table = events_from(scan, columns, self.time, str(path), self.time_unit)
        return table if part is None else table.of_part(part)

    def _paths(self) -> tuple[list[tuple[Path, Part | None]], Path | None, Path | None]:
        """Return the files of events with their parts, that of items and that of users."""
        first = self.interactions[0]
        if len(self.interactions) > 1 or not first.is_dir():
            paths = expand(self.interactions, (".inter",))
            return [(path, None) for path in paths], self.items, _if_there(paths[0].with_suffix(".user"))
        parts = find_parts(first)
        path = parts["training"] if parts else find_inter(first)
        name = path.name.split(".")[0] if parts else path.stem
        items = self.items or _if_there(first / f"{name}.item")
        found = [(parts[part], part) for part in PARTS] if parts else [(path, None)]
        return list(found), items, _if_there(first / f"{name}.user")


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _read_entities(path: Path | None, id_name: str, columns: Mapping[str, str]) -> pl.DataFrame | None:
    if path is None:
        return None
    scan, types = scan_atomic(path)
    with reading(str(path)):
        frame = scan.collect()
    numbers = [name.partition(":")[0] for name in types if name.endswith(":float")]
    frame = frame.with_columns(pl.col(numbers).cast(pl.Float64, strict=False))
    return entities_from(frame, id_name, columns, str(path))
