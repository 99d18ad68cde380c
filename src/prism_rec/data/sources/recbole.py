"""RecBole's atomic files: tab-separated, every column headed `name:type`, without quoting."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field

from prism_rec.config import Config
from prism_rec.data.frames import complete_columns, entities_from, events_from
from prism_rec.data.raw_log import RawLog, TimeKind
from prism_rec.data.reading import reading
from prism_rec.data.sources.atomic import find_inter, scan_atomic


class RecBole(Config):
    """RecBole's files `NAME.inter` and, if there are any, `NAME.item` and `NAME.user`."""

    kind: Literal["recbole"] = "recbole"
    """Name of the source."""
    interactions: Path
    """The .inter file, or its folder; from a folder, the .item file is read too."""
    items: Path | None = None
    """The .item file, if it is not next to the .inter file."""
    columns: dict[str, str] = Field(default_factory=dict)
    """ROLE=NAME: the name of a column that is not called user_id, item_id, timestamp or rating; the roles are user,
    item, timestamp and rating. In RecBole's files, the name without its type."""
    time: TimeKind | None = None
    """What timestamps mean; absolute if there is a column of timestamps, else order."""

    def files(self) -> tuple[Path, ...]:
        """Return the files that `read` reads.

        Raises:
            DataError: a folder that does not have exactly one .inter file.
        """
        return tuple(path for path in self._paths() if path is not None)

    def read(self) -> RawLog:
        """Read the events, items and users.

        Columns of the type `float` become numbers, all others text. Without a column of timestamps, the order of the
        rows counts.

        Raises:
            DataError: a file is missing, or a column or value is wrong.
        """
        interactions, items, users = self._paths()
        scan = scan_atomic(interactions)
        time = self.time
        if time is None:
            with reading(str(interactions)):
                names = scan.collect_schema().names()
            timed = "timestamp" in self.columns or complete_columns(self.columns)["timestamp"] in names
            time = "absolute" if timed else "order"
        return RawLog(
            events=events_from(scan, self.columns, time, str(interactions)),
            items=_read_entities(items, "item_id", self.columns),
            users=_read_entities(users, "user_id", self.columns),
            time=time,
        )

    def _paths(self) -> tuple[Path, Path | None, Path | None]:
        interactions, items = self.interactions, self.items
        if interactions.is_dir():
            interactions = find_inter(interactions)
            items = items or _if_there(interactions.with_suffix(".item"))
        return interactions, items, _if_there(interactions.with_suffix(".user"))


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _read_entities(path: Path | None, id_name: str, columns: Mapping[str, str]) -> pl.DataFrame | None:
    if path is None:
        return None
    scan = scan_atomic(path)
    with reading(str(path)):
        frame = scan.collect()
        types = pl.read_csv(
            path, separator="\t", quote_char=None, infer_schema=False, n_rows=0, glob=False
        ).columns
    numbers = [name.partition(":")[0] for name in types if name.endswith(":float")]
    frame = frame.with_columns(pl.col(numbers).cast(pl.Float64, strict=False))
    return entities_from(frame, id_name, columns, str(path))
