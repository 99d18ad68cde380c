"""The forms in which the vectors of a modality may be given: matrix and ids, a frame, a finished table."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from prism_rec.data.bag import Bag, Table
from prism_rec.data.embedding_folder import load_embedding
from prism_rec.data.feature_table import Catalogue, FeatureTable, Matrix, align, match_ids
from prism_rec.data.frames import text_ids, to_polars
from prism_rec.errors import DataError

_TAKEN = {"id", "similar", "user_id", "item_id", "title", "score", "rank", "basis"}
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


def check_modality_name(name: str) -> str:
    """Return the name if it is valid for a modality, a file and a component.

    Raises:
        DataError: it is not a lower-case letter followed by lower-case letters, digits, `_` or `-`; or it is the name
            of another column of recommendations.
    """
    if name in _TAKEN:
        raise DataError(f"feature name {name!r} is that of another column of recommendations; choose another")
    if not _NAME.fullmatch(name):
        raise DataError(
            f"feature name {name!r}: use a lower-case letter, then lower-case letters, digits, '_' or '-'"
        )
    return name


def table_from(
    name: str, given: Any, catalogue: Catalogue, allow_unknown: bool = False
) -> tuple[Table, dict[str, int]]:
    """Align the vectors of one modality, given in any form.

    Args:
        name: the modality's name.
        given: a pair (matrix, ids) or (`Bag`, ids); a frame with the column `item_id` and either one column of lists or
            numeric columns; a folder of the stage embed; or a `FeatureTable`, which must be in catalogue order and
            scaled already.
        catalogue: the items to align to.
        allow_unknown: skip and count ids that neither log nor items file has, instead of refusing them.

    Returns:
        The table, and the numbers of vectors skipped.

    Raises:
        DataError: see `align`; or a table with another number of rows than the catalogue.
        FolderError: the folder is not a finished one of the stage embed.
    """
    check_modality_name(name)
    if isinstance(given, str | Path):
        given = load_embedding(Path(given))
    if isinstance(given, FeatureTable):
        if len(given.present) != len(catalogue.item_ids) + 1 or len(given.vectors) != len(given.present):
            raise DataError(
                f"feature {name!r} has {len(given.vectors)} rows for {len(catalogue.item_ids)} items; "
                "it needs one per item, and the padding row 0 before them"
            )
        if not np.isfinite(given.vectors).all():
            raise DataError(f"feature {name!r} has NaN or infinity; mark those rows as not present")
        if given.vectors.dtype == np.float32 and not given.vectors[~given.present].any():
            return given, {}
        return FeatureTable(
            np.where(given.present[:, None], given.vectors, 0).astype(np.float32), given.present
        ), {}
    if isinstance(given, tuple):
        matrix, ids = given
        if isinstance(matrix, Bag):
            return _align_bag(name, matrix, _id_series(name, ids), catalogue, allow_unknown)
        return align(name, np.asarray(matrix), _id_series(name, ids), catalogue, allow_unknown)
    matrix, series = vectors_from(to_polars(given, f"feature {name!r}"), f"feature {name!r}")
    return align(name, matrix, series, catalogue, allow_unknown)


def vectors_from(frame: pl.DataFrame, where: str) -> tuple[Matrix, pl.Series]:
    """Return matrix and ids of a frame: `item_id` and one column of lists, or one numeric column per dimension.

    Raises:
        DataError: no `item_id`, other columns, or lists of different lengths.
    """
    if "item_id" not in frame.columns:
        raise DataError(
            f"{where} has no column 'item_id' (found: {', '.join(frame.columns)}); rename the id column"
        )
    ids = text_ids(frame["item_id"], where)
    others = frame.drop("item_id")
    if others.width == 1 and others.to_series().dtype.is_nested():
        return _stack_lists(others.to_series(), ids, where), ids
    wrong = [name for name, dtype in others.schema.items() if not dtype.is_numeric()]
    if wrong or not others.width:
        raise DataError(
            f"{where}: next to 'item_id' give one column of lists or numeric columns only (found: "
            f"{', '.join(wrong) or 'nothing'})"
        )
    return others.to_numpy(), ids


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
    widths = lists.cast(pl.List(pl.Float32)).list.len().fill_null(0)
    other = widths != widths[0]
    if other.any():
        row = other.arg_max() or 0
        raise DataError(
            f"{where}, row {row + 1} (item {ids[row]!r}): {widths[row]} numbers, and row 1 has {widths[0]}; "
            "give vectors of one width"
        )
    flat: Matrix = lists.explode().to_numpy()
    return flat.reshape(len(lists), -1)


def _id_series(name: str, ids: Sequence[Any] | pl.Series) -> pl.Series:
    try:
        series = ids if isinstance(ids, pl.Series) else pl.Series("item_id", list(ids))
    except TypeError:
        raise DataError(f"feature {name!r}: the ids have several types; give them all as text") from None
    return text_ids(series.alias("item_id"), f"feature {name!r}")
