"""Vectors that were made elsewhere, or by `embed`, in the one form that a dataset takes: matrix and ids."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from prism_rec.data.feature_files import read_features
from prism_rec.data.sources.files import read_lines
from prism_rec.errors import InputError
from prism_rec.features.embed import load_embedding
from prism_rec.folders import MANIFEST

_TORCH = {".pt", ".pth"}


def read_precomputed(given: str) -> tuple[np.ndarray, pl.Series, tuple[Path, ...]]:
    """Read vectors and their ids from a folder that `embed` wrote or from a file of any known format.

    Args:
        given: a folder; `FILE`; or `FILE:IDS`, where IDS has one id a line. FILE is `.npy`, `.safetensors` or
            `.parquet` (see `prism_rec.data.feature_files.read_features`), or `.pt`: a matrix with its ids in
            IDS (by default FILE with the ending `.ids.txt`), a dictionary with `vectors` and `ids`, or a
            dictionary from id to vector. A `.pt` file is read without running anything that it holds.

    Returns:
        Matrix [R, D], the R ids, and the files that were read.

    Raises:
        InputError: a file is missing, damaged or of another form, or a folder unfinished.
    """
    if Path(given).is_dir():
        vectors, ids = load_embedding(Path(given))
        return vectors, pl.Series("item_id", ids, dtype=pl.String), (Path(given) / MANIFEST,)
    path, ids_path = _paths(given)
    if path.suffix in _TORCH:
        return _read_torch(path, ids_path)
    return read_features(given)


def files_of(given: str) -> list[Path]:
    """Return the files that `read_precomputed` reads, whether they are there or not."""
    if Path(given).is_dir():
        return [Path(given) / MANIFEST]
    path, ids_path = _paths(given)
    return [path, *(ids for ids in [ids_path] if ids.is_file())]


def _paths(given: str) -> tuple[Path, Path]:
    file, colon, ids = given.rpartition(":")
    if colon and not Path(given).is_file():
        return Path(file), Path(ids)
    return Path(given), Path(given).with_suffix(".ids.txt")


def _read_torch(path: Path, ids_path: Path) -> tuple[np.ndarray, pl.Series, tuple[Path, ...]]:
    content = _load(path)
    if isinstance(content, Mapping) and set(content) == {"vectors", "ids"}:
        return _matrix(content["vectors"], path), _ids(content["ids"]), (path,)
    if isinstance(content, Mapping):
        return _stack(content, path), _ids(content), (path,)
    matrix = _matrix(content, path)
    if not ids_path.is_file():
        raise InputError(f"{ids_path}: no such file; the ids of {path.name} belong there, one a line")
    return matrix, read_lines(ids_path).alias("item_id"), (path, ids_path)


def _load(path: Path) -> Any:
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except Exception:  # damaged bytes and forbidden content make the unpickler raise of every kind
        raise InputError(
            f"{path} holds more than tensors, or is damaged; save a tensor, or a dictionary of vectors and ids"
        ) from None


def _stack(vectors: Mapping[Any, Any], path: Path) -> np.ndarray:
    for item_id, vector in vectors.items():
        if getattr(vector, "ndim", None) != 1:
            raise InputError(f"{path}, id {item_id!r}: no vector; give a tensor of one axis for each id")
    widths = {len(vector) for vector in vectors.values()}
    if len(widths) != 1:
        raise InputError(f"{path}: vectors of the widths {sorted(widths)}; give all of them one width")
    return np.stack([_numpy(vector) for vector in vectors.values()])


def _matrix(tensor: Any, path: Path) -> np.ndarray:
    if getattr(tensor, "ndim", None) != 2:
        raise InputError(f"{path}: no matrix; give a tensor with one row an item")
    return _numpy(tensor)


def _numpy(tensor: Any) -> np.ndarray:
    import torch

    # bfloat16 has no counterpart in numpy; float16 and uint8 stay as they are.
    array: np.ndarray = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    return array


def _ids(ids: Any) -> pl.Series:
    return pl.Series("item_id", [str(item_id) for item_id in ids], dtype=pl.String)
