"""The position-wise networks of transformer blocks: each vector is mapped by itself."""

from collections.abc import Callable

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from prism_rec.nn.dropout import Dropout


class FeedForward(nn.Module):
    """Two linear maps with an activation between them; dropout after the activation and at the end.

    Args:
        width: D, of input and output.
        hidden: width between the two maps.
        activation: applied element by element.
        dropout: probability of dropping an element of the output.
        hidden_dropout: probability of dropping a hidden element.
    """

    def __init__(
        self,
        width: int,
        hidden: int,
        activation: Callable[[Tensor], Tensor],
        dropout: float,
        hidden_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.inner = nn.Linear(width, hidden)
        self.outer = nn.Linear(hidden, width)
        self.activation = activation
        self.hidden_dropout = Dropout(hidden_dropout)
        self.dropout = Dropout(dropout)

    def forward(self, x: Float[Tensor, "*P D"]) -> Float[Tensor, "*P D"]:
        """Map each vector."""
        return self.dropout(self.outer(self.hidden_dropout(self.activation(self.inner(x)))))


class SwiGLU(nn.Module):
    """W_out dropout(silu(W_gate x) * W_in x), all maps without bias (Shazeer, arXiv 2002.05202).

    Args:
        width: D, of input and output.
        hidden: width between the maps.
        dropout: probability of dropping a hidden element.
    """

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.gate = nn.Linear(width, hidden, bias=False)
        self.inner = nn.Linear(width, hidden, bias=False)
        self.outer = nn.Linear(hidden, width, bias=False)
        self.dropout = Dropout(dropout)

    def forward(self, x: Float[Tensor, "*P D"]) -> Float[Tensor, "*P D"]:
        """Map each vector."""
        return self.outer(self.dropout(F.silu(self.gate(x)) * self.inner(x)))
