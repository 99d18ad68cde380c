"""MMRec's folders: `*.inter` with numbered users and items and a column `x_label` for the split, and vectors.

Row i of `image_feat.npy` and `text_feat.npy` belongs to item i. Where `u_id_mapping.csv` and
`i_id_mapping.csv` are there too, users and items get the ids from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from prism_rec.data.feature_table import Matrix
from prism_rec.data.frames import DEFAULT_COLUMNS, events_from
from prism_rec.data.matrix_file import read_matrix
from prism_rec.data.raw_log import RawLog, TimeKind
from prism_rec.data.reading import reading
from prism_rec.data.sources.files import refuse
from prism_rec.data.sources.recbole import find_inter, scan_atomic
from prism_rec.errors import InputError

COLUMNS = {"user": "userID", "item": "itemID"}
TIME = "timestamp"
LABEL = "x_label"
FEATURES = {"image": "image_feat.npy", "text": "text_feat.npy"}
MAPPINGS = {"user": "u_id_mapping.csv", "item": "i_id_mapping.csv"}


def read_mmrec(
    interactions: Path,
    items: Path | None,
    columns: Mapping[str, str],
    time: TimeKind | None,
    photos: Path | None = None,
) -> RawLog:
    """Read a folder; see `Source`.

    MMRec's split may have several targets a user, ours has one: `x_label` orders events that have no times,
    and a note says how many users it would have split otherwise than leave-one-out does.

    Args:
        interactions: the folder.
        items: no use.
        columns: no use; MMRec's names are fixed.
        time: no use; absolute where there is a column of times, else order.
        photos: no use.
    """
    refuse("mmrec", items=items, columns=columns, time=time, photos=photos)
    if not interactions.is_dir():
        raise InputError(f"{interactions} is no folder; give the folder with the .inter file and its vectors")
    path = find_inter(interactions)
    events, kind, labels = _read_inter(path)
    mappings = {role: interactions / name for role, name in MAPPINGS.items()}
    known = {role: _read_mapping(file, COLUMNS[role]) for role, file in mappings.items() if file.is_file()}
    features = {
        name: interactions / file for name, file in FEATURES.items() if (interactions / file).is_file()
    }
    notes = () if labels is None else _compare_split(path, events, labels)
    for role, mapping in known.items():
        events = events.with_columns(_translate(events[DEFAULT_COLUMNS[role]], mapping, mappings[role]))
    vectors = {
        name: _read_vectors(file, known.get("item"), mappings["item"]) for name, file in features.items()
    }
    every = [ids for _, ids in vectors.values()]
    return RawLog(
        events=events,
        items=pl.concat(every).unique(maintain_order=True).to_frame() if every else None,
        time=kind,
        files=(path, *(mappings[role] for role in known), *features.values()),
        features=vectors,
        notes=notes,
    )


def _read_inter(path: Path) -> tuple[pl.DataFrame, TimeKind, pl.Series | None]:
    scan = scan_atomic(path)
    with reading(str(path)):
        names = scan.collect_schema().names()
        labels = scan.select(LABEL).collect().to_series() if LABEL in names else None
    kind: TimeKind = "absolute" if TIME in names else "order"
    events = events_from(scan, COLUMNS, kind, str(path))
    if labels is not None:
        labels = labels.cast(pl.Int64, strict=False)
        if not labels.is_between(0, 2).fill_null(False).all():
            raise InputError(
                f"{path}: column {LABEL!r} should hold 0, 1 and 2 alone; mend it or leave it out"
            )
        if kind == "order":
            events = events.with_columns(timestamp=labels)
    return events, kind, labels


def _compare_split(path: Path, events: pl.DataFrame, labels: pl.Series) -> tuple[str, ...]:
    """Say for how many users the labels are other than leave-one-out's: 0, ..., 0, 1, 2 in time order."""
    ordered = events.select("user_id", "timestamp", label=labels).sort(
        "user_id", "timestamp", maintain_order=True
    )
    from_end = pl.int_range(pl.len(), dtype=pl.Int64).reverse().over("user_id")
    expected = (2 - from_end).clip(lower_bound=0)
    other = ordered.filter(pl.col("label") != expected)["user_id"].n_unique()
    if not other:
        return ()
    return (
        f"{path.name}: {LABEL} splits {other:,} of {events['user_id'].n_unique():,} users otherwise than "
        "leave-one-out; the split of prepare counts",
    )


def _read_mapping(path: Path, number_column: str) -> pl.DataFrame:
    """Return `number` and `id` as text."""
    scan = scan_atomic(path)
    with reading(str(path)):
        frame = scan.collect()
    others = [name for name in frame.columns if name != number_column]
    if number_column not in frame.columns or not others:
        raise InputError(
            f"{path} should have the column {number_column!r} and one of ids; or remove the file"
        )
    return frame.select(pl.col(number_column).alias("number"), pl.col(others[0]).alias("id"))


def _translate(numbers: pl.Series, mapping: pl.DataFrame, path: Path) -> pl.Series:
    joined = numbers.to_frame("number").join(mapping, on="number", how="left", maintain_order="left")
    ids = joined["id"].alias(numbers.name)
    if len(ids) != len(numbers) or ids.null_count():
        raise InputError(f"{path} does not give each number of the .inter file one id; remove or mend it")
    return ids


def _read_vectors(path: Path, mapping: pl.DataFrame | None, where: Path) -> tuple[Matrix, pl.Series]:
    matrix = read_matrix(path)
    numbers = pl.Series("item_id", np.arange(len(matrix)).astype(str))
    return matrix, numbers if mapping is None else _translate(numbers, mapping, where)
