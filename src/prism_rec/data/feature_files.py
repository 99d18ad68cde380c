"""Reading one modality's vectors from files: a matrix and, beside it, the ids of its rows."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from prism_rec.data.feature_table import Matrix
from prism_rec.data.matrix_file import read_matrix
from prism_rec.data.reading import reading
from prism_rec.data.sources.files import read_lines
from prism_rec.data.vectors import vectors_from
from prism_rec.errors import InputError


def read_features(given: str) -> tuple[Matrix, pl.Series, tuple[Path, ...]]:
    """Read vectors and their ids.

    Args:
        given: `FILE`, or `FILE:IDS` where the ids have another name than `FILE` with the ending `.ids.txt`.
            FILE is a `.npy` matrix; a `.safetensors` file whose matrix is named `vectors`; or a `.parquet`
            table with the ids in `item_id`, which has no ids file. An ids file has one id a line.

    Returns:
        The matrix as it is in the file, the id of every row, and the files that were read.

    Raises:
        InputError: a file is missing, cut short, or not of its format.
    """
    path, ids_path = _paths(given)
    if not path.is_file():
        raise InputError(f"{path}: no such file; check the path")
    if path.suffix == ".parquet":
        with reading(str(path)):
            frame = pl.read_parquet(path, glob=False)
        return *vectors_from(frame, str(path)), (path,)
    matrix = read_matrix(path)
    if not ids_path.is_file():
        raise InputError(f"{ids_path}: no such file; the ids of {path.name} belong there, one a line")
    ids = read_lines(ids_path).alias("item_id")
    return matrix, ids.set(ids == "", None), (path, ids_path)


def _paths(given: str) -> tuple[Path, Path]:
    path, colon, ids = given.rpartition(":")
    if not colon or Path(given).is_file():
        return Path(given), Path(given).with_suffix(".ids.txt")
    return Path(path), Path(ids)
