"""MMRec's folders: one `.inter` file with the split in `x_label`, and one matrix per modality."""

from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from prism_rec.config import Config
from prism_rec.data.dataset import Dataset
from prism_rec.data.exports.tab_separated import require_plain, write_tabs
from prism_rec.data.histories import IntArray
from prism_rec.data.sources.mmrec import COLUMNS, FEATURES, LABEL, MAPPINGS, TIME


class MMRecFolder(Config):
    """A folder of MMRec: numbered interactions with the split in x_label, the ids of the numbers, and vectors."""

    kind: Literal["mmrec"] = "mmrec"
    """Name of the format."""

    def write(self, dataset: Dataset, folder: Path) -> list[str]:
        """Write the files; the `.inter` file is named after the folder.

        Row i of a matrix is item i; a modality `audio` is in `audio_feat.npy`. An item without a modality has zeros
        there, because MMRec has no missing vectors. Times that are not absolute are not written: the rows are in order.

        Returns:
            The names of the files.

        Raises:
            DataError: an id that the format cannot have.
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
            vectors = table.vectors[1:]
            dense = vectors if isinstance(vectors, np.ndarray) else vectors.toarray()
            np.save(folder / names[-1], dense, allow_pickle=False)
        return names


def _label(dataset: Dataset) -> IntArray:
    """Return 0 for training, 1 for validation and 2 for test, one label per interaction."""
    histories, split = dataset.histories, dataset.split
    position = np.arange(len(histories.items)) - np.repeat(histories.offsets[:-1], histories.lengths)
    ends = (np.repeat(end, histories.lengths) for end in (split.train_end, split.validation_end))
    return np.sum([position >= end for end in ends], axis=0)
