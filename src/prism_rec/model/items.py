"""The catalogue as a model holds it: a learned vector for each id, and the frozen features."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from prism_rec.fusion.base import Features


class ItemTable(nn.Module):
    """Rows 1..N are items; row 0 is padding and stays zero.

    Features are buffers that are neither trained nor written into a checkpoint: they belong to the catalogue, not
    to what was learned.

    Args:
        number_of_items: N.
        width: D.
        features: modality -> vectors [N + 1, d]; a row of zeros where the item lacks the modality.
        present: modality -> presence [N + 1].
        streams: how many vectors of D an id is made of; what the backbone asks for.
    """

    present_NM: Tensor

    def __init__(
        self,
        number_of_items: int,
        width: int,
        features: Mapping[str, Float[Tensor, "N _"]],
        present: Mapping[str, Bool[Tensor, " N"]],
        streams: int = 1,
    ) -> None:
        super().__init__()
        self.number_of_items = number_of_items
        self.width = width
        self.modalities = {name: vectors.shape[1] for name, vectors in features.items()}
        self.ids = nn.Embedding(number_of_items + 1, streams * width, padding_idx=0)
        for m, vectors in enumerate(features.values()):
            self.register_buffer(f"vectors_{m}", vectors, persistent=False)
        columns = [present[name] for name in features]
        presence = (
            torch.stack(columns, 1) if columns else torch.zeros(number_of_items + 1, 0, dtype=torch.bool)
        )
        self.register_buffer("present_NM", presence, persistent=False)

    def features(self, rows_I: Int[Tensor, " I"]) -> Features:
        """Return the features of some distinct items, rows rising."""
        tables = [self.get_buffer(f"vectors_{m}") for m in range(len(self.modalities))]
        if len(rows_I) == self.number_of_items + 1:  # all of them, and each once: no copy
            return Features(tuple(tables), self.present_NM)
        return Features(tuple(table[rows_I] for table in tables), self.present_NM[rows_I])
