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
        empty_B: Int[Tensor, " B"] | None = None,
    ) -> Float[Tensor, "B A D"]:
        """Return what each asking position gathers from the positions up to itself.

        Args:
            asking_BAD: all positions, A = L; or, with lengths, each history's last, A = 1.
            seen_BLD: what is gathered from.
            lengths_B: of the histories, if their last positions alone ask.
            empty_B: how many empty places, vectors of zeros, every position sees as well; none if not given.
        """
        key_BHLE, value_BHLE = self._split(self.key(seen_BLD)), self._split(self.value(seen_BLD))
        mask = None
        if lengths_B is not None:
            places_L = torch.arange(seen_BLD.shape[1], device=seen_BLD.device)
            mask = (places_L < lengths_B[:, None])[:, None, None]
        if empty_B is not None:
            # All empty places have one key and one value, the biases: one of them, counted often, stands for all.
            key_BHLE = torch.cat([self._of_empty(self.key, len(empty_B)), key_BHLE], 2)
            value_BHLE = torch.cat([self._of_empty(self.value, len(empty_B)), value_BHLE], 2)
            mask = self._count_empty(mask, empty_B, seen_BLD)
        context = F.scaled_dot_product_attention(
            self._split(self.query(asking_BAD)),
            key_BHLE,
            value_BHLE,
            attn_mask=mask,
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=mask is None,
        )
        return self.output(context.transpose(1, 2).flatten(2))

    def _of_empty(self, map_of_zeros: nn.Linear, batch: int) -> Tensor:
        return self._split(map_of_zeros.bias.expand(batch, 1, -1))

    @staticmethod
    def _count_empty(mask: Tensor | None, empty_B: Tensor, seen_BLD: Tensor) -> Tensor:
        """Put a column for the empty places before the mask: the logarithm of their number is added to its logit."""
        length = seen_BLD.shape[1]
        if mask is None:
            mask = torch.ones(length, length, dtype=torch.bool, device=seen_BLD.device).tril()
        hidden = torch.zeros_like(mask, dtype=seen_BLD.dtype).masked_fill(~mask, -torch.inf)
        hidden = hidden.expand(len(empty_B), 1, -1, -1)
        count_B = empty_B.to(seen_BLD.dtype).log()[:, None, None, None]
        return torch.cat([count_B.expand(-1, -1, hidden.shape[2], -1), hidden], -1)

    def _split(self, x_BLD: Tensor) -> Tensor:
        return x_BLD.unflatten(-1, (self.heads, -1)).transpose(1, 2)
