"""RecBole's atomic files: tab-separated, each column headed `name:type`, no quoting."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from prism_rec.data.frames import complete_columns, entities_from, events_from
from prism_rec.data.raw_log import RawLog, TimeKind
from prism_rec.data.reading import reading
from prism_rec.data.sources.files import refuse
from prism_rec.errors import InputError


def read_recbole(
    interactions: Path,
    items: Path | None,
    columns: Mapping[str, str],
    time: TimeKind | None,
    photos: Path | None = None,
) -> RawLog:
    """Read `NAME.inter` and, where there are any, `NAME.item` and `NAME.user`; see `Source`.

    Numbers of type `float` become numbers, everything else text. Without a column of times the rows' order
    counts.

    Args:
        interactions: the `.inter` file, or the folder that has one; then its neighbours are read too.
        items: the `.item` file, if it lies elsewhere.
        columns: names of columns without their types.
        time: by default absolute where there is a column of times.
        photos: no use.
    """
    refuse("recbole", photos=photos)
    if interactions.is_dir():
        interactions = find_inter(interactions)
        beside = interactions.with_suffix(".item")
        items = items or (beside if beside.is_file() else None)
    users = interactions.with_suffix(".user") if interactions.with_suffix(".user").is_file() else None
    scan = scan_atomic(interactions)
    if time is None:
        with reading(str(interactions)):
            timed = complete_columns(columns)["timestamp"] in scan.collect_schema().names()
        time = "absolute" if timed or "timestamp" in columns else "order"
    return RawLog(
        events=events_from(scan, columns, time, str(interactions)),
        items=_read_entities(items, "item_id", columns),
        users=_read_entities(users, "user_id", columns),
        time=time,
        files=tuple(path for path in (interactions, items, users) if path is not None),
    )


def find_inter(folder: Path) -> Path:
    """Return the only `.inter` file of a folder.

    Raises:
        InputError: there is none, or more than one.
    """
    found = sorted(path for path in folder.iterdir() if path.suffix == ".inter")
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise InputError(f"{folder} should hold one .inter file ({names}); name the file itself")
    return found[0]


def scan_atomic(path: Path) -> pl.LazyFrame:
    """Open a tab-separated file without quoting; columns are text and lose their `:type`.

    Raises:
        InputError: no such file, or empty.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; check the path")
    with reading(str(path)):
        scan = pl.scan_csv(path, separator="\t", quote_char=None, infer_schema=False, glob=False)
        names = scan.collect_schema().names()
    return scan.rename({name: name.partition(":")[0] for name in names})


def _read_entities(path: Path | None, id_name: str, columns: Mapping[str, str]) -> pl.DataFrame | None:
    if path is None:
        return None
    scan = scan_atomic(path)
    with reading(str(path)):
        frame = scan.collect()
        types = pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False, n_rows=0).columns
    numbers = [name.partition(":")[0] for name in types if name.endswith(":float")]
    frame = frame.with_columns(pl.col(numbers).cast(pl.Float64, strict=False))
    return entities_from(frame, id_name, columns, str(path))
