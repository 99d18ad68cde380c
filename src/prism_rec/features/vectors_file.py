"""Reads vectors that exist already, from files that were made elsewhere."""

import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from prism_rec.data.arrays import stack_vectors, to_matrix
from prism_rec.data.feature_table import Matrix
from prism_rec.data.frames import with_item_id
from prism_rec.data.matrix_file import read_matrix
from prism_rec.data.reading import reading
from prism_rec.data.sources.files import read_lines
from prism_rec.data.sources.parquet import check_growth, check_parquet
from prism_rec.data.vectors import vectors_from
from prism_rec.errors import DataError
from prism_rec.files import path_from
from prism_rec.folders import check_listed
from prism_rec.inputs import ids_from
from prism_rec.records import MANIFEST

_TORCH = {".pt", ".pth"}
_ROWS = 2**14
"""Rows of a table that are read at a time, so that it is never in memory next to its matrix."""


def read_vectors_file(
    given: str, columns: Mapping[str, str] | None = None
) -> tuple[Matrix, pl.Series, tuple[Path, ...]]:
    """Read the vectors of one modality and their ids.

    Args:
        given: `FILE` or `FILE:IDS`. FILE is

            - `.npy`: a matrix;
            - `.safetensors`: a matrix with the name `vectors`;
            - `.parquet`: a table with the ids in `item_id`; needs no ids file;
            - `.pt` or `.pth`: a matrix, a dictionary with `vectors` and `ids`, or a dictionary from id to vector.
              Nothing in the file is run.

            IDS has one id per line; by default it is FILE with the ending `.ids.txt`.

        columns: `item`, the column of ids of a table, if it is not `item_id`.

    Returns:
        The matrix [R, D] as it is in the file, the R ids, and the files that were read.

    Raises:
        DataError: a file is missing, damaged or of another form.
    """
    path, ids_path = _paths(given)
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path")
    check_listed(path)
    if path.suffix == ".parquet":
        return *_read_parquet(path, columns or {}), (path,)
    matrix, ids = _read_torch(path) if path.suffix in _TORCH else (read_matrix(path), None)
    if ids is not None:
        return matrix, ids, (path,)
    return matrix, _read_ids(ids_path, path), (path, ids_path)


def given_features(given: Mapping[str, str], columns: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return features as a dataset takes them: the path of a folder of the stage embed, or matrix and ids of a file."""
    return {
        name: Path(place) if Path(place).is_dir() else read_vectors_file(place, columns)[:2]
        for name, place in given.items()
    }


def files_of(given: str) -> list[Path]:
    """Return the files that the vectors are in, whether they exist or not; of a folder its manifest."""
    if Path(given).is_dir():
        return [Path(given) / MANIFEST]
    path, ids_path = _paths(given)
    return [path, *(ids for ids in [ids_path] if ids.is_file())]


def places_from(folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Return FILE[:IDS] of each modality as it is from a folder, so that the same files have one name."""
    return {
        name: ":".join(
            path_from(folder, Path(path)) for path in ([one] if Path(one).is_dir() else _paths(one))
        )
        for name, one in given.items()
    }


def _paths(given: str) -> tuple[Path, Path]:
    file, colon, ids = given.rpartition(":")
    if colon and not Path(given).is_file():
        return Path(file), Path(ids)
    return Path(given), Path(given).with_suffix(".ids.txt")


def _read_ids(path: Path, matrix: Path) -> pl.Series:
    if not path.is_file():
        raise DataError(
            f"{path}: no such file; it should have the ids of {matrix.name}, one per line; "
            f"if they are in another file, give {matrix.name}:IDS_FILE"
        )
    ids = read_lines(path, "utf-8")[0].alias("item_id")
    return ids.set(ids == "", None)


def _read_parquet(path: Path, columns: Mapping[str, str]) -> tuple[Matrix, pl.Series]:
    check_parquet(path)
    with reading(str(path)):
        scan = pl.scan_parquet(path, glob=False)
        rows = scan.select(pl.len()).collect().item()
    found: Matrix | None = None
    ids: list[pl.Series] = []
    for first in range(0, max(rows, 1), _ROWS):
        where = f"{path}, rows after {first:,}" if first else str(path)
        with reading(str(path)):
            part = scan.slice(first, _ROWS).collect()
        matrix, some = vectors_from(with_item_id(part, columns, where), where)
        if found is None:
            found = np.empty((rows, matrix.shape[1]), matrix.dtype)
        if matrix.shape[1] != found.shape[1]:
            raise DataError(
                f"{where}: {matrix.shape[1]} numbers, and row 1 has {found.shape[1]}; give vectors of one width"
            )
        found[first : first + len(matrix)] = matrix
        ids.append(some)
    assert found is not None
    return found, pl.concat(ids)


def _read_torch(path: Path) -> tuple[Matrix, pl.Series | None]:
    """Return the matrix, and the ids if they are in the file."""
    content = _load(path)
    where = str(path)
    if isinstance(content, Mapping) and set(content) == {"vectors", "ids"}:
        return to_matrix(content["vectors"], where), _text(content["ids"], where)
    if isinstance(content, Mapping):
        vectors = ((f"id {item_id!r}", vector) for item_id, vector in content.items())
        return stack_vectors(vectors, where), _text(list(content), where)
    return to_matrix(content, where), None


def _load(path: Path) -> Any:
    import torch

    if zipfile.is_zipfile(path):
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as packed:
            check_growth(path, sum(entry.file_size for entry in packed.infolist()))
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # on damaged bytes and forbidden content the unpickler raises exceptions of any class
        raise DataError(
            f"{path} has more than tensors in it, or is damaged; save a tensor, or a dictionary of vectors and ids"
        ) from None
    tensors = list(content.values()) if isinstance(content, Mapping) else [content]
    dense = (one for one in tensors if isinstance(one, torch.Tensor) and not one.is_nested)
    # Expanded and sparse tensors need more memory than their file.
    check_growth(path, sum(one.numel() * one.element_size() for one in dense))
    return content


def _text(ids: Any, where: str) -> pl.Series:
    return pl.Series("item_id", ids_from(ids, f"{where}: ids"), dtype=pl.String)
