"""The catalogue as a model holds it: a learned vector per id, and the frozen features."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from prism_rec.data.feature_table import FeatureTable
from prism_rec.fusion.reading import Features


class ItemTable(nn.Module):
    """Rows 1..N are items; row 0 is padding and stays zero.

    Features are buffers that are neither trained nor written to a checkpoint: they belong to the catalogue, not to the
    learned weights.

    Args:
        number_of_items: N.
        width: D.
        features: for each modality a table with N + 1 rows.
        streams: number of vectors of D per id, as the backbone requires.
    """

    present_NM: Tensor

    def __init__(
        self,
        number_of_items: int,
        width: int,
        features: Mapping[str, FeatureTable],
        streams: int = 1,
    ) -> None:
        super().__init__()
        self.number_of_items = number_of_items
        self.width = width
        self.modalities = {name: table.vectors.shape[1] for name, table in features.items()}
        self.ids = nn.Embedding(number_of_items + 1, streams * width, padding_idx=0)
        for m, table in enumerate(features.values()):
            self.register_buffer(f"vectors_{m}", torch.from_numpy(table.vectors), persistent=False)
        columns = [torch.from_numpy(table.present) for table in features.values()]
        present_NM = (
            torch.stack(columns, 1) if columns else torch.zeros(number_of_items + 1, 0, dtype=torch.bool)
        )
        self.register_buffer("present_NM", present_NM, persistent=False)

    def features(self, rows_I: Int[Tensor, " I"]) -> Features:
        """Return the features of some distinct items, in rising order of their rows."""
        tables: list[Float[Tensor, "N _"]] = [
            self.get_buffer(f"vectors_{m}") for m in range(len(self.modalities))
        ]
        if len(rows_I) == self.number_of_items + 1:  # all rows, each once: no copy
            return Features(tuple(tables), self.present_NM)
        return Features(tuple(table.index_select(0, rows_I) for table in tables), self.present_NM[rows_I])
