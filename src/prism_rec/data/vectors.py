"""The forms in which the vectors of a modality may be given: matrix and ids, a frame, a finished table."""

import re
from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from prism_rec.data.arrays import stack_vectors, to_matrix
from prism_rec.data.bag import Bag, Table
from prism_rec.data.embedding_folder import load_embedding
from prism_rec.data.feature_table import Catalogue, FeatureTable, Matrix, align, match_ids
from prism_rec.data.frames import text_ids, to_polars, with_item_id
from prism_rec.errors import DataError
from prism_rec.inputs import ids_from, show

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
RESERVED = ("id", "similar", "rules", "item_id", "user_id", "score", "rank", "basis", "title")
"""Columns of recommendations, which have a column for each component of a score too."""


def check_modality_name(name: str) -> str:
    """Return the name if it is valid for a modality, a file and a component.

    Raises:
        DataError: it is not a lower-case letter followed by lower-case letters, digits, `_` or `-`; or it is the name
            of another column of recommendations.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DataError(
            f"feature name {show(name)}: use a lower-case letter, then lower-case letters, digits, '_' or '-'"
        )
    if name in RESERVED:
        raise DataError(
            f"feature name {name!r} is a column of recommendations; use another, such as {name}-vector"
        )
    return name


def table_from(
    name: str,
    given: Any,
    catalogue: Catalogue,
    allow_unknown: bool = False,
    columns: Mapping[str, str] | None = None,
) -> tuple[Table, dict[str, int]]:
    """Align the vectors of one modality, given in any form.

    Args:
        name: the modality's name.
        given: a pair (matrix, ids) or (`Bag`, ids); a map from id to vector; a frame with a column of ids and either
            one column of lists or numeric columns; a folder of the stage embed; or a `FeatureTable`, which must
            be in catalogue order and scaled already.
        catalogue: the items to align to.
        allow_unknown: skip and count ids that neither log nor items file has, instead of refusing them.
        columns: `item`, the name of the column of ids in a frame; by default `item_id`.

    Returns:
        The table, and the numbers of vectors skipped.

    Raises:
        DataError: see `align`; or a table with another number of rows than the catalogue.
        FolderError: the folder is not a finished one of the stage embed.
    """
    check_modality_name(name)
    where = f"feature {name!r}"
    if isinstance(given, str | Path):
        given = load_embedding(Path(given))
    if isinstance(given, FeatureTable):
        return _checked(where, given, len(catalogue.item_ids)), {}
    if isinstance(given, Mapping):
        matrix = stack_vectors(((f"id {key!r}", vector) for key, vector in given.items()), where)
        ids = pl.Series("item_id", ids_from(given.keys(), where), dtype=pl.String)
    elif isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], Bag):
        return _align_bag(name, given[0], _id_series(given[1], where), catalogue, allow_unknown)
    elif isinstance(given, tuple) and len(given) == 2:
        matrix, ids = to_matrix(given[0], where), _id_series(given[1], where)
    else:
        frame = with_item_id(to_polars(given, where), columns or {}, where)
        matrix, ids = vectors_from(frame, where)
    return align(name, matrix, ids, catalogue, allow_unknown)


def _checked(where: str, given: FeatureTable, items: int) -> FeatureTable:
    """Return a finished table if it fits the catalogue, in float32 and zero where absent."""
    vectors, present = to_matrix(given.vectors, where), np.asarray(given.present)
    if present.shape != (items + 1,) or present.dtype != bool or len(vectors) != len(present):
        raise DataError(
            f"{where} has {len(vectors)} rows for {items} items; "
            "it needs one per item, and the padding row 0 before them"
        )
    if not np.isfinite(vectors).all():
        raise DataError(f"{where} has NaN or infinity; mark those rows as not present")
    if vectors.dtype == np.float32 and not vectors[~present].any():
        return given
    return FeatureTable(np.where(present[:, None], vectors, 0).astype(np.float32), present)


def vectors_from(frame: pl.DataFrame, where: str) -> tuple[Matrix, pl.Series]:
    """Return matrix and ids of a frame: `item_id` and one column of lists, or one numeric column per dimension.

    Raises:
        DataError: no `item_id`, other columns, or lists of different lengths.
    """
    if "item_id" not in frame.columns:
        raise DataError(
            f"{where} has no column 'item_id' (found: {', '.join(frame.columns)}); rename the id column"
        )
    if frame.is_empty():
        raise DataError(f"{where} has no vectors; give at least one, or leave the feature out")
    ids = text_ids(frame["item_id"], where)
    others = frame.drop("item_id")
    if others.width == 1 and isinstance(others.dtypes[0], pl.List | pl.Array):
        return _stack_lists(others.to_series(), ids, where), ids
    wrong = [name for name, dtype in others.schema.items() if not dtype.is_numeric()]
    if wrong or not others.width:
        raise DataError(
            f"{where}: next to 'item_id' give one column of lists or numeric columns only (found: "
            f"{', '.join(wrong) or 'nothing'})"
        )
    return others.cast({pl.Decimal: pl.Float64, pl.Int128: pl.Float64}).to_numpy(), ids


def _align_bag(
    name: str, bag: Bag, ids: pl.Series, catalogue: Catalogue, allow_unknown: bool
) -> tuple[Bag, dict[str, int]]:
    if len(bag.present) != len(ids):
        raise DataError(
            f"feature {name!r} has the words of {len(bag.present)} items and {len(ids)} ids; give one id per item"
        )
    rows, unknown = match_ids(name, ids, catalogue, allow_unknown)
    aligned = bag.take(np.concatenate([[-1], rows]))
    if not aligned.present.any():
        raise DataError(f"feature {name!r}: no item of the data has a word of it; check the ids")
    return aligned, {"zero": int((~aligned.present[1:] & (rows >= 0)).sum()), "unknown": unknown}


def _stack_lists(lists: pl.Series, ids: pl.Series, where: str) -> Matrix:
    inner = getattr(lists.dtype, "inner", None)
    if inner is None or not inner.is_numeric():
        raise DataError(f"{where}: column {lists.name!r} has the type {lists.dtype}; give lists of numbers")
    widths = lists.cast(pl.List(inner)).list.len().fill_null(0)
    other = (widths != widths[0]) | (widths == 0)
    if other.any():
        row = other.arg_max() or 0
        raise DataError(
            f"{where}, row {row + 1} (item {ids[row]!r}): {widths[row]} numbers, and row 1 has {widths[0]}; "
            "give vectors of one width, and no row for an item without one"
        )
    flat = lists.explode()
    return to_matrix(
        flat.cast(pl.Float64 if inner in (pl.Decimal, pl.Int128) else inner)
        .to_numpy()
        .reshape(len(lists), -1),
        where,
    )


def _id_series(given: Any, where: str) -> pl.Series:
    if isinstance(given, pl.Series):
        return text_ids(given.alias("item_id"), where)
    if isinstance(given, Mapping):  # id -> row, as tokenizers have it
        rows = list(given.values())
        if any(isinstance(row, bool) or not isinstance(row, Integral) for row in rows) or sorted(
            rows
        ) != list(range(len(rows))):
            raise DataError(
                f"{where}: the map of ids does not give the rows 0 to {len(rows) - 1}; give a list of ids"
            )
        given = sorted(given, key=given.__getitem__)
    return pl.Series("item_id", ids_from(given, where), dtype=pl.String)
