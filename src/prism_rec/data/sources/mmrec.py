"""MMRec's folders: `*.inter` with numbered users and items and a column `x_label` for the split, and vectors.

Row i of `image_feat.npy` and `text_feat.npy` belongs to item i. Users and items get their ids from `u_id_mapping.csv`
and `i_id_mapping.csv`, if the folder has these files.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from prism_rec.config import Config
from prism_rec.data.event_table import EventTable, events_from
from prism_rec.data.feature_table import Matrix
from prism_rec.data.frames import DEFAULT_COLUMNS
from prism_rec.data.matrix_file import read_matrix
from prism_rec.data.raw_log import RawLog
from prism_rec.data.reading import reading
from prism_rec.data.sources.atomic import find_inter, scan_atomic
from prism_rec.errors import DataError

COLUMNS = {"user": "userID", "item": "itemID"}
TIME = "timestamp"
LABEL = "x_label"
FEATURES = {"image": "image_feat.npy", "text": "text_feat.npy"}
MAPPINGS = {"user": "u_id_mapping.csv", "item": "i_id_mapping.csv"}


class MMRec(Config):
    """A folder of MMRec: interactions with numbered users and items, and vectors of pictures and texts.

    MMRec may have several test items per user; this library asks for the first. `x_label` orders events without times
    and is the split of `split` given.
    """

    kind: Literal["mmrec"] = "mmrec"
    """Name of the source."""
    folder: Path
    """The folder with NAME.inter and, if there are any, image_feat.npy and text_feat.npy."""

    def files(self) -> tuple[Path, ...]:
        """Return the files that `read` reads.

        Raises:
            DataError: a folder that does not have exactly one .inter file.
        """
        return (find_inter(self.folder), *self._there(MAPPINGS).values(), *self._there(FEATURES).values())

    def read(self) -> RawLog:
        """Read the interactions, the ids of the numbers if they are given, and the vectors.

        Times are absolute if there is a column of them, else an order.

        Raises:
            DataError: a file is missing, or a column or value is wrong.
        """
        path = find_inter(self.folder)
        table = _read_inter(path)
        events = table.events
        mappings, features = self._there(MAPPINGS), self._there(FEATURES)
        known = {role: _read_mapping(file, COLUMNS[role]) for role, file in mappings.items()}
        for role, mapping in known.items():
            events = events.with_columns(_translate(events[DEFAULT_COLUMNS[role]], mapping, mappings[role]))
        vectors = {
            name: _read_vectors(file, known.get("item"), self.folder / MAPPINGS["item"])
            for name, file in features.items()
        }
        every = [ids for _, ids in vectors.values()]
        items = pl.concat(every).unique(maintain_order=True).to_frame() if every else None
        return replace(table, events=events).as_log(items=items, features=vectors)

    def _there(self, names: Mapping[str, str]) -> dict[str, Path]:
        paths = {key: self.folder / name for key, name in names.items()}
        return {key: path for key, path in paths.items() if path.is_file()}


def _read_inter(path: Path) -> EventTable:
    scan, _ = scan_atomic(path)
    with reading(str(path)):
        names = scan.collect_schema().names()
        labels = scan.select(LABEL).collect().to_series() if LABEL in names else None
    table = events_from(scan, COLUMNS, None, str(path))
    if labels is not None:
        labels = labels.cast(pl.Int64, strict=False)
        if not labels.is_between(0, 2).fill_null(False).all():
            raise DataError(f"{path}: column {LABEL!r} may only have 0, 1 and 2; fix it or remove it")
        if table.time == "order":
            table = replace(table, events=table.events.with_columns(timestamp=labels))
        table = replace(table, events=table.events.with_columns(part=labels.cast(pl.Int8)))
    return table


def _read_mapping(path: Path, number_column: str) -> pl.DataFrame:
    """Return `number` and `id` as text."""
    scan, _ = scan_atomic(path)
    with reading(str(path)):
        frame = scan.collect()
    others = [name for name in frame.columns if name != number_column]
    if number_column not in frame.columns or not others:
        raise DataError(
            f"{path} should have the column {number_column!r} and a column of ids; add them or remove the file"
        )
    return frame.select(pl.col(number_column).alias("number"), pl.col(others[0]).alias("id"))


def _translate(numbers: pl.Series, mapping: pl.DataFrame, path: Path) -> pl.Series:
    joined = numbers.to_frame("number").join(mapping, on="number", how="left", maintain_order="left")
    ids = joined["id"].alias(numbers.name)
    if len(ids) != len(numbers) or ids.null_count():
        raise DataError(f"{path} does not give each number of the .inter file one id; fix or remove it")
    return ids


def _read_vectors(path: Path, mapping: pl.DataFrame | None, where: Path) -> tuple[Matrix, pl.Series]:
    matrix = read_matrix(path)
    numbers = pl.Series("item_id", np.arange(len(matrix)).astype(str))
    return matrix, numbers if mapping is None else _translate(numbers, mapping, where)
