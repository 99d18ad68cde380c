"""Multi-head attention over the past."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn


class Before(NamedTuple):
    """Up to F further vectors per history that every position sees, as if they came before the first one."""

    vectors_BFD: Float[Tensor, "B F D"]
    visible_BF: Bool[Tensor, "B F"]  # which of them the history has


class CausalAttention(nn.Module):
    """Scaled dot-product attention in which position t sees positions 1..t.

    Histories are padded on the right, so the causal mask keeps padding out of every real position.

    Args:
        width: D, a multiple of `heads`.
        heads: number of heads.
        dropout: probability of dropping an attention weight during training.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(
        self,
        asking_BAD: Float[Tensor, "B A D"],
        seen_BLD: Float[Tensor, "B L D"],
        lengths_B: Int[Tensor, " B"] | None = None,
        before: Before | None = None,
    ) -> Float[Tensor, "B A D"]:
        """Return, for each asking position, the weighted sum over the positions up to it.

        Args:
            asking_BAD: all positions, A = L; or, if lengths are given, each history's last position, A = 1.
            seen_BLD: what is gathered from.
            lengths_B: of the histories, if only their last positions ask.
            before: further vectors that every position sees.
        """
        mask = None if lengths_B is None else visible(seen_BLD, lengths_B)
        if before is not None:
            asking = (len(seen_BLD), asking_BAD.shape[1], -1)
            visible_BAF, visible_BAL = before.visible_BF[:, None], visible(seen_BLD, lengths_B)
            mask = torch.cat([visible_BAF.expand(asking), visible_BAL.expand(asking)], -1)
            seen_BLD = torch.cat([before.vectors_BFD, seen_BLD], 1)
        context_BHAd = F.scaled_dot_product_attention(
            self._split(self.query(asking_BAD)),
            self._split(self.key(seen_BLD)),
            self._split(self.value(seen_BLD)),
            attn_mask=None if mask is None else mask[:, None],
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=mask is None,
        )
        return self.output(context_BHAd.transpose(1, 2).flatten(2))

    def _split(self, x_BLD: Tensor) -> Tensor:
        return x_BLD.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def visible(seen_BLD: Float[Tensor, "B L D"], lengths_B: Int[Tensor, " B"] | None) -> Bool[Tensor, "_ _ L"]:
    """Return which positions each asking position sees.

    Without lengths all positions ask, and each sees those up to itself: [1, L, L]. With lengths only the last position
    of each history asks, and it sees the whole history: [B, 1, L].
    """
    places_L = torch.arange(seen_BLD.shape[1], device=seen_BLD.device)
    if lengths_B is None:
        return (places_L <= places_L[:, None])[None]
    return (places_L < lengths_B[:, None])[:, None]
