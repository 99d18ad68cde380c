"""MMRec's folders: one `.inter` file with the split in `x_label`, and a matrix a modality."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from prism_rec.data.dataset import Dataset
from prism_rec.data.exports.tab_separated import require_plain, write_tabs
from prism_rec.data.histories import IntArray
from prism_rec.data.sources.mmrec import COLUMNS, FEATURES, LABEL, MAPPINGS, TIME
from prism_rec.data.split import Temporal


def write_mmrec(dataset: Dataset, folder: Path) -> list[str]:
    """Write numbered interactions, the ids of the numbers, and the vectors; NAME is the folder's.

    Row i of a matrix is item i; a modality `audio` is in `audio_feat.npy`. MMRec knows no absence, so items
    without a modality have zeros there. Times that are not absolute are left out: the rows are in order.

    Raises:
        InputError: an id that the format cannot hold.
    """
    ids = {"user": dataset.users["user_id"], "item": dataset.items["item_id"]}
    for column in ids.values():
        require_plain(column)
    events = dataset.interactions
    columns = {COLUMNS["user"]: events["user"], COLUMNS["item"]: events["item"] - 1}
    if dataset.time == "absolute":
        columns[TIME] = events["timestamp"]
    inter = pl.DataFrame({**columns, LABEL: _label(dataset)})
    names = [f"{folder.resolve().name}.inter", *MAPPINGS.values()]
    write_tabs(inter, folder / names[0])
    for role, column in ids.items():
        numbered = column.to_frame().with_columns(pl.int_range(pl.len()).alias(COLUMNS[role]))
        write_tabs(numbered, folder / MAPPINGS[role])
    for name, table in dataset.features.items():
        names.append(FEATURES.get(name, f"{name}_feat.npy"))
        np.save(folder / names[-1], table.vectors[1:], allow_pickle=False)
    return names


def _label(dataset: Dataset) -> IntArray:
    """Return 0 for training, 1 for validation, 2 for test, one an interaction."""
    if isinstance(dataset.rule, Temporal):
        times = dataset.interactions["timestamp"].to_numpy()
        return np.searchsorted(dataset.rule.moments(times), times, side="right").astype(np.int64)
    histories, split = dataset.histories, dataset.split
    labels = np.zeros(len(histories.items), np.int64)
    for label, at in ((1, split.validation_at), (2, split.test_at)):
        labels[histories.offsets[:-1][at >= 0] + at[at >= 0]] = label
    return labels
