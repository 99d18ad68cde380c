"""Reads vectors that exist already: from a folder of the stage embed, or from files that were made elsewhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from prism_rec.data.arrays import stack_vectors, to_matrix
from prism_rec.data.feature_table import Matrix
from prism_rec.data.matrix_file import read_matrix
from prism_rec.data.reading import reading
from prism_rec.data.sources.files import read_lines
from prism_rec.data.vectors import vectors_from
from prism_rec.errors import DataError, SettingsError
from prism_rec.features.embedding import STAGE, load_embedding
from prism_rec.folders import MANIFEST, require_folder
from prism_rec.inputs import ids_from

_TORCH = {".pt", ".pth"}


def read_vectors_file(given: str) -> tuple[Matrix, pl.Series, tuple[Path, ...]]:
    """Read the vectors of one modality and their ids.

    Args:
        given: `FOLDER`, `FILE` or `FILE:IDS`. FOLDER was written by the stage embed. FILE is

            - `.npy`: a matrix;
            - `.safetensors`: a matrix with the name `vectors`;
            - `.parquet`: a table with the ids in `item_id`; needs no ids file;
            - `.pt` or `.pth`: a matrix, a dictionary with `vectors` and `ids`, or a dictionary from id to vector.
              Nothing in the file is run.

            IDS has one id per line; by default it is FILE with the ending `.ids.txt`.

    Returns:
        The matrix [R, D] as it is in the file, the R ids, and the files that were read.

    Raises:
        DataError: a file is missing, damaged or of another form.
        FolderError: the folder is unfinished, damaged or of another stage.
    """
    if Path(given).is_dir():
        vectors, found = load_embedding(Path(given))
        return vectors, pl.Series("item_id", found, dtype=pl.String), (Path(given) / MANIFEST,)
    path, ids_path = _paths(given)
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path")
    if path.suffix == ".parquet":
        with reading(str(path)):
            frame = pl.read_parquet(path, glob=False)
        return *vectors_from(frame, str(path)), (path,)
    matrix, ids = _read_torch(path) if path.suffix in _TORCH else (read_matrix(path), None)
    if ids is not None:
        return matrix, ids, (path,)
    return matrix, _read_ids(ids_path, path), (path, ids_path)


def files_of(given: str) -> list[Path]:
    """Return the files that `read_vectors_file` reads, whether they exist or not."""
    if Path(given).is_dir():
        return [Path(given) / MANIFEST]
    path, ids_path = _paths(given)
    return [path, *(ids for ids in [ids_path] if ids.is_file())]


def require_portable(given: str) -> None:
    """Refuse vectors that do not fit vectors that were made at another time.

    Args:
        given: see `read_vectors_file`; about files nothing is known, so they are accepted.

    Raises:
        SettingsError: `given` is a folder of an encoder that learned from the contents themselves.
        FolderError: the folder is unfinished, damaged or of another stage.
    """
    if Path(given).is_dir() and not (manifest := require_folder(Path(given), STAGE))["portable"]:
        encoder = manifest["config"].get("encoder", {}).get("kind", "its encoder")
        raise SettingsError(
            f"{given}: {encoder} learns its directions from the contents that it gets, so vectors of new items do not"
            " fit the model's; embed old and new items with a pretrained encoder"
        )


def _paths(given: str) -> tuple[Path, Path]:
    file, colon, ids = given.rpartition(":")
    if colon and not Path(given).is_file():
        return Path(file), Path(ids)
    return Path(given), Path(given).with_suffix(".ids.txt")


def _read_ids(path: Path, matrix: Path) -> pl.Series:
    if not path.is_file():
        raise DataError(f"{path}: no such file; it should have the ids of {matrix.name}, one per line")
    ids = read_lines(path).alias("item_id")
    return ids.set(ids == "", None)


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

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # on damaged bytes and forbidden content the unpickler raises exceptions of any class
        raise DataError(
            f"{path} has more than tensors in it, or is damaged; save a tensor, or a dictionary of vectors and ids"
        ) from None


def _text(ids: Any, where: str) -> pl.Series:
    return pl.Series("item_id", ids_from(ids, f"{where}: ids"), dtype=pl.String)
