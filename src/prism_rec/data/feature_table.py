"""One modality's vectors, in the order of the catalogue: matched by id, never by row order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from prism_rec.data.histories import IntArray
from prism_rec.errors import InputError

Matrix = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """One modality's vectors, row = catalogue row.

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

    def take(self, rows: slice | IntArray) -> FeatureTable:
        """Return the table with some of its rows, in the order given."""
        return FeatureTable(self.vectors[rows], self.present[rows])

    @staticmethod
    def files(name: str) -> tuple[str, str]:
        """Return where a dataset's folder has the vectors and the presence of a modality."""
        return f"features/{name}.npy", f"features/{name}.present.npy"

    def save(self, folder: Path, name: str) -> None:
        """Write the table into a dataset's folder."""
        vectors, present = self.files(name)
        (folder / vectors).parent.mkdir(exist_ok=True)
        np.save(folder / vectors, self.vectors, allow_pickle=False)
        np.save(folder / present, self.present, allow_pickle=False)

    def equals(self, other: object) -> bool:
        """Return whether the other is a table of the same vectors."""
        return isinstance(other, FeatureTable) and np.array_equal(self.vectors, other.vectors)

    @classmethod
    def load(cls, folder: Path, name: str) -> FeatureTable:
        """Read the table from a dataset's folder."""
        vectors, present = (np.load(folder / file, allow_pickle=False) for file in cls.files(name))
        return cls(vectors, present)


@dataclass(frozen=True, eq=False)
class Catalogue:
    """What a feature's ids are matched with.

    Attributes:
        item_ids: external ids in the order of the catalogue rows 1..N.
        dropped_ids: further ids that the raw log or the items file knows: not unknown, but not needed.
    """

    item_ids: pl.Series
    dropped_ids: pl.Series


def align(
    name: str, matrix: Matrix, ids: pl.Series, catalogue: Catalogue, allow_unknown: bool = False
) -> tuple[FeatureTable, dict[str, int]]:
    """Bring vectors into catalogue order and to unit length.

    A uint8 matrix (the output of a quantised encoder) is first centred by its mean over the catalogue's
    items; then every vector is divided by its length. A zero vector has no direction, so that an item with
    one lacks the modality.

    Args:
        name: the modality's name, for messages.
        matrix: [R, d], float or uint8, row r belonging to `ids[r]`.
        ids: [R] external item ids, each once.
        catalogue: the items to align to.
        allow_unknown: count ids that neither log nor items file knows, rather than refuse them.

    Returns:
        The table, and counts of what was left out (`zero`, `unknown`).

    Raises:
        InputError: not a matrix, another number of rows than ids, another type, a value that is NaN or
            infinite, an id given twice, unknown ids, or no id of the catalogue at all.
    """
    _check_matrix(name, matrix, ids)
    _check_ids(name, ids)
    rows, unknown = _match(name, ids, catalogue, allow_unknown)
    present = rows >= 0
    vectors = np.zeros((len(rows) + 1, matrix.shape[1]), np.float32)
    vectors[1:][present] = _to_unit_length(matrix[rows[present]])
    nonzero: npt.NDArray[np.bool_] = np.any(vectors, axis=1)
    zero = int(present.sum()) - int(nonzero.sum())
    if not nonzero.any():
        raise InputError(f"feature {name!r}: every vector is zero (uint8: after centring); check the encoder")
    return FeatureTable(vectors, nonzero), {"zero": zero, "unknown": unknown}


def _check_matrix(name: str, matrix: Matrix, ids: pl.Series) -> None:
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise InputError(f"feature {name!r} has the shape {matrix.shape}; give a matrix with one row an item")
    if matrix.dtype != np.uint8 and not np.issubdtype(matrix.dtype, np.floating):
        raise InputError(f"feature {name!r} holds {matrix.dtype} values; give float or uint8 vectors")
    if len(matrix) != len(ids):
        raise InputError(f"feature {name!r} has {len(matrix)} rows and {len(ids)} ids; give one id a row")
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise InputError(
            f"feature {name!r}: row {row + 1} (item {ids[row]!r}) holds NaN or infinity; leave that row out"
        )


def _check_ids(name: str, ids: pl.Series) -> None:
    if ids.null_count():
        row = ids.is_null().arg_max()
        raise InputError(f"feature {name!r}: row {(row or 0) + 1} has no item id; give one id a row")
    repeated = ids.is_first_distinct().not_()
    if repeated.any():
        row = repeated.arg_max() or 0
        raise InputError(f"feature {name!r}: row {row + 1} repeats the id {ids[row]!r}; keep one of them")


def _match(name: str, ids: pl.Series, catalogue: Catalogue, allow_unknown: bool) -> tuple[IntArray, int]:
    """Return the matrix row of every catalogue item (-1: none), and how many ids are unknown."""
    given = pl.DataFrame({"item_id": ids}).with_row_index("given")
    joined = pl.DataFrame({"item_id": catalogue.item_ids}).join(
        given, on="item_id", how="left", maintain_order="left"
    )
    rows = joined["given"].cast(pl.Int64).fill_null(-1).to_numpy()
    if (rows < 0).all():
        raise InputError(
            f"feature {name!r}: none of its ids ({_show(ids)}) is an item of the data "
            f"({_show(catalogue.item_ids)}); give the ids that the interactions use"
        )
    known = pl.DataFrame({"item_id": pl.concat([catalogue.item_ids, catalogue.dropped_ids])})
    unknown = given.join(known, on="item_id", how="anti", maintain_order="left")["item_id"]
    if len(unknown) and not allow_unknown:
        raise InputError(
            f"feature {name!r}: {len(unknown)} ids unknown to the data ({_show(unknown)}); "
            "mend the ids, or pass --allow-unknown-features (allow_unknown_features=True) to leave them out"
        )
    return rows, len(unknown)


def _to_unit_length(matrix: Matrix) -> npt.NDArray[np.float32]:
    values = matrix.astype(np.float32) if matrix.dtype.itemsize < 4 else matrix
    if matrix.dtype == np.uint8:
        values = values - values.mean(axis=0, dtype=np.float64).astype(np.float32)
    # Divided by the largest entry first, so that squares neither overflow nor vanish.
    peaks = np.abs(values).max(axis=1, keepdims=True)
    values = np.divide(values, peaks, out=np.zeros_like(values), where=peaks > 0)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    np.divide(values, lengths, out=values, where=lengths > 0)
    return np.asarray(values, np.float32)


def _show(ids: pl.Series) -> str:
    shown = ", ".join(repr(value) for value in ids.head(3))
    return shown + (", ..." if len(ids) > 3 else "")
