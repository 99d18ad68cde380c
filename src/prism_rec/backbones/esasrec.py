"""eSASRec (Tikhonovich et al., RecSys 2025, arXiv 2508.06450): SASRec's training with LiGR layers.

The layer is that of LiGR (arXiv 2502.03417) in the form of RecTools: attention and feed-forward normalise their input,
and a gate, learned from that input, decides how much of their output joins the residual. The last layer has no norm
after it.
The paper trains it with a sampled softmax of 256 negatives: the objective `sampled_cross_entropy`. On Beauty the paper
uses one layer, one head, dropout 0.2 and a hidden layer of 4 D; these are the defaults here.
"""

from typing import Literal

from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from prism_rec.backbones.base import AttentionSettings, Backbone, draw_weights
from prism_rec.backbones.positions import Positions
from prism_rec.nn.attention import CausalAttention
from prism_rec.nn.dropout import Dropout
from prism_rec.nn.feed_forward import SwiGLU


class LiGRLayer(nn.Module):
    """x + sigmoid(gate(x)) * part(norm(x)), for attention and then for the feed-forward."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = CausalAttention(width, heads, dropout)
        self.attention_gate = nn.Linear(width, width)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.feed_forward = SwiGLU(width, hidden, dropout)
        self.feed_forward_gate = nn.Linear(width, width)
        self.dropout = Dropout(dropout)

    def forward(self, x_BLD: Float[Tensor, "B L D"]) -> Float[Tensor, "B L D"]:
        """Attend, then transform."""
        normed_BLD = self.attention_norm(x_BLD)
        seen_BLD = self.dropout(self.attention(normed_BLD, normed_BLD))
        x_BLD = x_BLD + self.attention_gate(x_BLD).sigmoid() * seen_BLD
        made_BLD = self.dropout(self.feed_forward(self.feed_forward_norm(x_BLD)))
        return x_BLD + self.feed_forward_gate(x_BLD).sigmoid() * made_BLD


class ESASRec(Backbone):
    """Item and position vectors through LiGR layers."""

    def __init__(self, width: int, max_length: int, config: "ESASRecConfig") -> None:
        super().__init__()
        self.positions = Positions(max_length, width, config.positions)
        self.dropout = Dropout(config.dropout)
        hidden = config.hidden_factor * width
        self.layers = nn.Sequential(
            *(LiGRLayer(width, config.heads, hidden, config.dropout) for _ in range(config.layers))
        )

    def forward(
        self, inputs_BLD: Float[Tensor, "B L D"], lengths_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B L D"]:
        """Encode; see `Backbone.forward`."""
        return self.layers(self.dropout(inputs_BLD + self.positions(lengths_B, inputs_BLD.shape[1])))

    def initialise(self, module: nn.Module) -> None:
        """Xavier-normal for tables and maps, zero biases."""
        draw_weights(module, nn.init.xavier_normal_)


class ESASRecConfig(AttentionSettings):
    """Settings of eSASRec."""

    kind: Literal["esasrec"] = "esasrec"
    """Name of the backbone."""
    layers: int = Field(1, ge=1, le=1000)
    """Number of LiGR layers."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Probability of dropping an element of the inputs, of attention weights and of each layer's outputs."""
    hidden_factor: int = Field(4, ge=1)
    """Width of the feed-forward's hidden layer, in multiples of D."""

    def encoder(self) -> type[ESASRec]:
        """Return the class; see `AttentionSettings.encoder`."""
        return ESASRec
