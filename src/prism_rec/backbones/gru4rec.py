"""GRU4Rec (Hidasi et al., ICLR 2016): a recurrent network over a history.

The form is the one that later work compares with (Tan et al., DLRS 2016, and RecBole): dropout on the inputs, a GRU
without biases, and a linear map from its state to the space of the items. The loss is the one that a run chooses, such
as full cross-entropy, instead of the first paper's session-parallel BPR.
"""

from typing import Literal

from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from prism_rec.backbones.base import Backbone, BackboneSettings, draw_weights
from prism_rec.nn.dropout import Dropout


class GRU4Rec(Backbone):
    """A GRU reads the items in order; padding comes after the last item and changes nothing before it."""

    def __init__(self, width: int, layers: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.gru = nn.GRU(width, hidden, layers, bias=False, batch_first=True)
        self.output = nn.Linear(hidden, width)

    def forward(
        self, inputs_BLD: Float[Tensor, "B L D"], lengths_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B L D"]:
        """Encode; see `Backbone.forward`."""
        return self.output(self.gru(self.dropout(inputs_BLD))[0])

    def initialise(self, module: nn.Module) -> None:
        """Xavier-normal for tables and maps, Xavier-uniform for the GRU, zero biases."""
        draw_weights(module, nn.init.xavier_normal_)
        if isinstance(module, nn.GRU):
            for weight in module.parameters():
                nn.init.xavier_uniform_(weight)


class GRU4RecConfig(BackboneSettings):
    """Settings of GRU4Rec."""

    kind: Literal["gru4rec"] = "gru4rec"
    """Name of the backbone."""
    layers: int = Field(1, ge=1, le=1000)
    """Number of recurrent layers."""
    hidden: int = Field(128, ge=1)
    """Width of the recurrent state."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Probability of dropping an element of the inputs."""

    def build(self, width: int, max_length: int) -> GRU4Rec:
        """Make the encoder for vectors of `width`; `max_length` is ignored."""
        return GRU4Rec(width, self.layers, self.hidden, self.dropout)
