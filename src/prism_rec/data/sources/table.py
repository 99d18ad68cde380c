"""Any table with a row an event: CSV, TSV or Parquet, columns of any name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from prism_rec.data.frames import events_from
from prism_rec.data.raw_log import RawLog, TimeKind
from prism_rec.data.sources.files import read_items, refuse, scan_table


def read_table(
    interactions: Path,
    items: Path | None,
    columns: Mapping[str, str],
    time: TimeKind | None,
    photos: Path | None = None,
) -> RawLog:
    """Read events, and items where there is a file of them; see `Source`. The usual times are absolute."""
    refuse("table", photos=photos)
    time = time or "absolute"
    return RawLog(
        events=events_from(scan_table(interactions), columns, time, str(interactions)),
        items=read_items(items, columns),
        time=time,
        files=(interactions,) if items is None else (interactions, items),
    )
