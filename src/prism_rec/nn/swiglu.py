"""The position-wise network with a gate that newer transformers have."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from prism_rec.nn.dropout import Dropout


class SwiGLU(nn.Module):
    """W_out dropout(silu(W_gate x) * W_in x), all maps without bias (Shazeer, arXiv 2002.05202).

    Args:
        width: D, of input and output.
        hidden: width between the maps.
        dropout: probability of dropping the hidden elements.
    """

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.gate = nn.Linear(width, hidden, bias=False)
        self.inner = nn.Linear(width, hidden, bias=False)
        self.outer = nn.Linear(hidden, width, bias=False)
        self.dropout = Dropout(dropout)

    def forward(self, x: Float[Tensor, "*P D"]) -> Float[Tensor, "*P D"]:
        """Map each vector on its own."""
        return self.outer(self.dropout(F.silu(self.gate(x)) * self.inner(x)))
