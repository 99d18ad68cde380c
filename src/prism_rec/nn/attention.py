"""Multi-head attention over the past."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn


class CausalAttention(nn.Module):
    """Scaled dot-product attention in which position t sees positions 1..t.

    Histories are padded on the right, so the causal mask alone keeps padding out of every real position.

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
    ) -> Float[Tensor, "B A D"]:
        """Return what each asking position gathers from the positions up to itself.

        Args:
            asking_BAD: all positions, A = L; or, with lengths, each history's last, A = 1.
            seen_BLD: what is gathered from.
            lengths_B: of the histories, if their last positions alone ask.
        """
        mask = None
        if lengths_B is not None:
            mask = (torch.arange(seen_BLD.shape[1], device=seen_BLD.device) < lengths_B[:, None])[
                :, None, None
            ]
        context = F.scaled_dot_product_attention(
            self._split(self.query(asking_BAD)),
            self._split(self.key(seen_BLD)),
            self._split(self.value(seen_BLD)),
            attn_mask=mask,
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=mask is None,
        )
        return self.output(context.transpose(1, 2).flatten(2))

    def _split(self, x_BLD: Tensor) -> Tensor:
        return x_BLD.unflatten(-1, (self.heads, -1)).transpose(1, 2)
