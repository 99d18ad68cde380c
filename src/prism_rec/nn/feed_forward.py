"""The position-wise network of a transformer block."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

from prism_rec.nn.dropout import Dropout


class FeedForward(nn.Module):
    """Two linear maps with an activation between them; dropout after the activation and at the end.

    Args:
        width: D, of input and output.
        hidden: width between the two maps.
        activation: applied element by element.
        dropout: probability of dropping the output's elements.
        hidden_dropout: probability of dropping the hidden elements.
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
        """Map each vector on its own."""
        return self.dropout(self.outer(self.hidden_dropout(self.activation(self.inner(x)))))
