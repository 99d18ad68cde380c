"""Learned position vectors."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

Origin = Literal["first", "last"]


class Positions(nn.Module):
    """A learned vector per place in the window.

    Args:
        max_length: length of the window.
        width: D.
        origin: `first` counts from the first item kept, so that a position's number never changes as the history
            grows; `last` counts backwards from the last item of the window, as SASRec's release does. With `last`,
            a state depends on how many items follow it in the same window.
    """

    def __init__(self, max_length: int, width: int, origin: Origin) -> None:
        super().__init__()
        self.origin = origin
        self.table = nn.Embedding(max_length, width)

    def forward(self, lengths_B: Int[Tensor, " B"], window: int) -> Float[Tensor, "_ L D"]:
        """Return the vectors of `window` places; the first axis is 1 or B."""
        places = torch.arange(window, device=lengths_B.device)[None]
        if self.origin == "last":
            # Places after a history's end are padding; any row will do for them.
            places = (self.table.num_embeddings - lengths_B[:, None] + places).clamp(
                max=self.table.num_embeddings - 1
            )
        return self.table(places)
