"""HSTU (Zhai et al., ICML 2024, arXiv 2402.17152): attention by pointwise SiLU, without softmax.

A layer maps its normalised input to a gate U, values V, queries Q and keys K, all through SiLU, and computes

    A = silu(Q K^T + b) / N,    b_tj = bias of the distance t - j,    j <= t
    Y = X + f(norm(A V) * U)

N is the length of the window. Weights of attention do not sum to 1, so that a state also tells how much of the past
fits the query. There is no feed-forward: the gate takes its place. As in the release, norms inside a layer have no
weights, inputs are scaled by sqrt(D) and have position vectors, and one bias per distance serves all heads.

Two differences: the paper adds a second bias for the time between two events, which is not here, because batches carry
no times; and a layer norm ends the backbone, whereas the release scales states and items to length 1.
"""

from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from prism_rec.backbones.base import AttentionSettings, Backbone, draw_weights, last_of
from prism_rec.backbones.positions import Positions
from prism_rec.nn.attention import visible
from prism_rec.nn.dropout import Dropout

EPSILON = 1e-6


class HSTULayer(nn.Module):
    """One layer: see the module's text.

    Args:
        width: D, a multiple of `heads`.
        max_length: N, length of the window.
        heads: number of heads.
        dropout: probability of dropping an element before the output map.
    """

    def __init__(self, width: int, max_length: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width, EPSILON, elementwise_affine=False)
        self.gate_and_query = nn.Linear(width, 2 * width, bias=False)
        self.key_and_value = nn.Linear(width, 2 * width, bias=False)
        self.distance = nn.Embedding(max_length, 1)
        self.output = nn.Linear(width, width)
        self.dropout = Dropout(dropout)

    def forward(
        self, x_BLD: Float[Tensor, "B L D"], lengths_B: Int[Tensor, " B"] | None = None
    ) -> Float[Tensor, "B A D"]:
        """Return the outputs of all positions, A = L; with lengths, of each history's last position, A = 1."""
        asking_BAD = x_BLD if lengths_B is None else last_of(x_BLD, lengths_B)[:, None]
        gate_BAD, query_BAD = F.silu(self.gate_and_query(self.norm(asking_BAD))).chunk(2, -1)
        key_BLD, value_BLD = F.silu(self.key_and_value(self.norm(x_BLD))).chunk(2, -1)
        logits_BHAL = self._split(query_BAD) @ self._split(key_BLD).mT + self._bias(x_BLD, lengths_B)
        hidden = ~visible(x_BLD, lengths_B)[:, None]
        weights_BHAL = F.silu(logits_BHAL).masked_fill(hidden, 0) / self.distance.num_embeddings
        seen_BAD = (weights_BHAL @ self._split(value_BLD)).transpose(1, 2).flatten(2)
        return asking_BAD + self.output(self.dropout(self.norm(seen_BAD) * gate_BAD))

    def _bias(
        self, x_BLD: Float[Tensor, "B L D"], lengths_B: Int[Tensor, " B"] | None
    ) -> Float[Tensor, "_ 1 A L"]:
        """Return the bias of the distance between each asking position and each other; any one for hidden ones."""
        places_L = torch.arange(x_BLD.shape[1], device=x_BLD.device)
        asking = places_L[None] if lengths_B is None else (lengths_B - 1)[:, None]
        distance = (asking[..., None] - places_L).clamp(0, self.distance.num_embeddings - 1)
        return self.distance(distance).squeeze(-1)[:, None]

    def _split(self, x_BLD: Tensor) -> Tensor:
        return x_BLD.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class HSTU(Backbone):
    """Item and position vectors through HSTU layers, normalised at the end."""

    def __init__(self, width: int, max_length: int, config: "HSTUConfig") -> None:
        super().__init__()
        self.scale = width**0.5
        self.positions = Positions(max_length, width, config.positions)
        self.dropout = Dropout(config.dropout)
        self.layers = nn.ModuleList(
            HSTULayer(width, max_length, config.heads, config.dropout) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(width, EPSILON)

    def forward(
        self, inputs_BLD: Float[Tensor, "B L D"], lengths_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B L D"]:
        """Encode; see `Backbone.forward`."""
        x_BLD = self._embed(inputs_BLD, lengths_B)
        for layer in self.layers:
            x_BLD = layer(x_BLD)
        return self.norm(x_BLD)

    def last(self, inputs_BLD: Float[Tensor, "B L D"], lengths_B: Int[Tensor, " B"]) -> Float[Tensor, "B D"]:
        """Encode; the last layer is computed at the last positions only."""
        x_BLD = self._embed(inputs_BLD, lengths_B)
        for layer in self.layers[:-1]:
            x_BLD = layer(x_BLD)
        return self.norm(self.layers[-1](x_BLD, lengths_B)).squeeze(1)

    def _embed(self, inputs_BLD: Tensor, lengths_B: Tensor) -> Tensor:
        return self.dropout(inputs_BLD * self.scale + self.positions(lengths_B, inputs_BLD.shape[1]))

    def initialise(self, module: nn.Module) -> None:
        """N(0, 0.02) for tables and maps, Xavier-uniform for the outputs of layers, zero biases."""
        draw_weights(module, partial(nn.init.normal_, std=0.02))
        if isinstance(module, HSTULayer):
            nn.init.xavier_uniform_(module.output.weight)


class HSTUConfig(AttentionSettings):
    """Settings of HSTU."""

    kind: Literal["hstu"] = "hstu"
    """Name of the backbone."""

    def encoder(self) -> type[HSTU]:
        """Return the class; see `AttentionSettings.encoder`."""
        return HSTU
