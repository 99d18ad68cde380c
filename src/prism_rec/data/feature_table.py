"""The vectors of one modality in the order of the catalogue: matched by id, never by row order."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from prism_rec.data.histories import IntArray
from prism_rec.data.numbering import require_distinct
from prism_rec.errors import DataError
from prism_rec.files import replacing

Matrix = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """The vectors of one modality; row = catalogue row.

    Attributes:
        vectors: float32 [N + 1, d]; zero where absent. Row 0 is padding.
        present: bool [N + 1]; false for padding and for every item that lacks this modality.
    """

    vectors: npt.NDArray[np.float32]
    present: npt.NDArray[np.bool_]

    @property
    def width(self) -> int:
        """Length d of a vector."""
        return int(self.vectors.shape[1])

    @property
    def coverage(self) -> float:
        """Share of the catalogue's items that have this modality, 0 to 1."""
        return float(self.present[1:].mean())

    def take(self, rows: slice | IntArray) -> "FeatureTable":
        """Return some of the rows, in the given order."""
        return FeatureTable(self.vectors[rows], self.present[rows])

    def equals(self, other: object) -> bool:
        """Return whether the other has the same vectors."""
        return isinstance(other, FeatureTable) and np.array_equal(self.vectors, other.vectors)

    @staticmethod
    def files(name: str) -> tuple[str, str]:
        """Return the names of the two files of a modality in a dataset's folder: vectors and presence."""
        return f"features/{name}.npy", f"features/{name}.present.npy"

    def save(self, folder: Path, name: str) -> None:
        """Write the table into a dataset's folder."""
        vectors, present = self.files(name)
        (folder / vectors).parent.mkdir(exist_ok=True)
        for file, array in ((vectors, self.vectors), (present, self.present)):
            with replacing(folder / file) as partial, partial.open("wb") as opened:
                np.save(opened, array, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path, name: str, mapped: bool = False) -> "FeatureTable":
        """Read the table from a dataset's folder; `mapped`: see `Dataset.load`."""
        mode: Literal["c"] | None = "c" if mapped else None
        vectors, present = (np.load(folder / file, mode, allow_pickle=False) for file in cls.files(name))
        return cls(vectors, present)


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The items that the ids of a feature are matched with.

    Attributes:
        item_ids: external ids in the order of the catalogue rows 1..N.
        dropped_ids: further ids of the raw log or the items file: known, but not needed.
    """

    item_ids: pl.Series
    dropped_ids: pl.Series


def align(
    name: str, matrix: Matrix, ids: pl.Series, catalogue: Catalogue, allow_unknown: bool = False
) -> tuple[FeatureTable, dict[str, int]]:
    """Bring vectors into catalogue order and to unit length.

    A uint8 matrix (the output of a quantised encoder) is first centred by its mean over the catalogue's items. Then
    every vector is divided by its length. A zero vector has no direction, so its item lacks the modality.

    Args:
        name: the modality's name, for messages.
        matrix: [R, d], float or uint8, row r belonging to `ids[r]`.
        ids: [R] external item ids, each once.
        catalogue: the items to align to.
        allow_unknown: skip and count ids that neither log nor items file has, instead of refusing them.

    Returns:
        The table, and the numbers of vectors skipped (`zero`, `unknown`).

    Raises:
        DataError: not a matrix, different numbers of rows and ids, another type, a value that is NaN or infinite, a
            repeated id, unknown ids, or no id of the catalogue.
    """
    _check_matrix(name, matrix, ids)
    rows, unknown = match_ids(name, ids, catalogue, allow_unknown)
    present = rows >= 0
    vectors = np.zeros((len(rows) + 1, matrix.shape[1]), np.float32)
    vectors[1:][present] = _to_unit_length(matrix[rows[present]])
    nonzero: npt.NDArray[np.bool_] = np.any(vectors, axis=1)
    zero = int(present.sum()) - int(nonzero.sum())
    if not nonzero.any():
        raise DataError(f"feature {name!r}: every vector is zero (uint8: after centring); check the encoder")
    return FeatureTable(vectors, nonzero), {"zero": zero, "unknown": unknown}


def _check_matrix(name: str, matrix: Matrix, ids: pl.Series) -> None:
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise DataError(f"feature {name!r} has the shape {matrix.shape}; give a matrix with one row per item")
    if matrix.dtype != np.uint8 and not np.issubdtype(matrix.dtype, np.floating):
        raise DataError(f"feature {name!r} has {matrix.dtype} values; give float or uint8 vectors")
    if len(matrix) != len(ids):
        raise DataError(f"feature {name!r} has {len(matrix)} rows and {len(ids)} ids; give one id per row")
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise DataError(
            f"feature {name!r}: row {row + 1} (item {ids[row]!r}) has NaN or infinity; remove that row"
        )


def _check_ids(name: str, ids: pl.Series) -> None:
    if ids.null_count():
        row = ids.is_null().arg_max()
        raise DataError(f"feature {name!r}: row {(row or 0) + 1} has no item id; give one id per row")
    require_distinct(ids, f"feature {name!r}")


def match_ids(name: str, ids: pl.Series, catalogue: Catalogue, allow_unknown: bool) -> tuple[IntArray, int]:
    """Return the given row of every catalogue item (-1: none), and how many ids are unknown; see `align`."""
    _check_ids(name, ids)
    given = pl.DataFrame({"item_id": ids}).with_row_index("given")
    joined = pl.DataFrame({"item_id": catalogue.item_ids}).join(
        given, on="item_id", how="left", maintain_order="left"
    )
    rows = joined["given"].cast(pl.Int64).fill_null(-1).to_numpy()
    if (rows < 0).all():
        raise DataError(
            f"feature {name!r}: none of its ids ({_show(ids)}) is an item of the data "
            f"({_show(catalogue.item_ids)}); give the ids that the interactions use; if they are names of picture "
            "files, gather the files with `prism-rec images`, or give embed a `picture_table`"
        )
    known = pl.DataFrame({"item_id": pl.concat([catalogue.item_ids, catalogue.dropped_ids])})
    unknown = given.join(known, on="item_id", how="anti", maintain_order="left")["item_id"]
    if len(unknown) and not allow_unknown:
        raise DataError(
            f"feature {name!r}: {len(unknown)} ids unknown to the data ({_show(unknown)}); "
            "fix the ids, or set `allow_unknown_features` to skip them"
        )
    return rows, len(unknown)


def _to_unit_length(matrix: Matrix) -> npt.NDArray[np.float32]:
    values = matrix.astype(np.float32) if matrix.dtype.itemsize < 4 else matrix
    if matrix.dtype == np.uint8:
        values = values - values.mean(axis=0, dtype=np.float64).astype(np.float32)
    # Divided by the largest entry first, so that squares neither overflow nor become zero.
    peaks = np.abs(values).max(axis=1, keepdims=True)
    values = np.divide(values, peaks, out=np.zeros_like(values), where=peaks > 0)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    np.divide(values, lengths, out=values, where=lengths > 0)
    return np.asarray(values, np.float32)


def _show(ids: pl.Series) -> str:
    shown = ", ".join(repr(value) for value in ids.head(3))
    return shown + (", ..." if len(ids) > 3 else "")
