"""The folder that the stage embed writes, as a dataset reads it: vectors by id, and how they were made."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from safetensors import safe_open

from prism_rec.data.bag import Bag
from prism_rec.errors import DamagedError, FolderError
from prism_rec.folders import require_folder, require_whole

STAGE = "embed"
"""The stage whose folder this is."""
ITEMS = "items.parquet"
"""Which item has which vector, or why it has none."""
WORDS = "words.safetensors"
"""The words of the items, if the encoder is `words`."""
ENCODER = "encoder.json"
"""How new contents are encoded alike; see `features.stored_encoder`."""


def load_embedding(folder: Path) -> tuple[np.ndarray | Bag, list[str]]:
    """Read the vectors of a finished folder, ready to be aligned to a dataset by id.

    Returns:
        float32 [R, D], unit rows; and the ids of the R items that have a vector, in the order of the items. If the
        encoder is `words`, a bag and the ids of all items.

    Raises:
        FolderError: the folder is missing, unfinished or damaged, or no item has a vector.
    """
    if WORDS in require_whole(folder, STAGE)["files"]:
        return Bag.read(folder / WORDS), pl.read_parquet(folder / ITEMS, glob=False)["item_id"].to_list()
    table = pl.read_parquet(folder / ITEMS, glob=False).filter(pl.col("file").is_not_null())
    if not len(table):
        raise FolderError(f"{folder}: no item has a vector; see the reasons in {ITEMS}")
    table = table.with_row_index("at")
    vectors: np.ndarray | None = None
    for (file,), places in table.group_by("file"):
        found = read_vectors(folder / str(file), places["row"].to_numpy())
        if vectors is None:
            vectors = np.empty((len(table), found.shape[1]), np.float32)
        vectors[places["at"].to_numpy()] = found
    assert vectors is not None
    return vectors, table["item_id"].to_list()


def read_encoder(folder: Path) -> dict[str, Any] | None:
    """Return how the vectors were made, as JSON values; None if the folder does not say so.

    Raises:
        FolderError: the folder is missing, unfinished or damaged.
    """
    if ENCODER not in require_folder(folder, STAGE)["files"]:
        return None
    require_folder(folder, STAGE, ENCODER)
    try:
        found: dict[str, Any] = json.loads((folder / ENCODER).read_text(encoding="utf-8"))
    except ValueError:
        raise DamagedError(f"{folder / ENCODER} is not JSON; run {STAGE} again") from None
    return found


def read_vectors(path: Path, rows: np.ndarray) -> np.ndarray:
    """Return some rows of a shard, float32 [rows, D]."""
    with safe_open(path, framework="numpy") as shard:
        vectors: np.ndarray = shard.get_tensor("vectors")[rows]
    return vectors
