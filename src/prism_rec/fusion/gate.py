"""The gate: how much weight each component has for a user (PRISM, equation 10)."""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from prism_rec.fusion.reading import Reading
from prism_rec.nn.dropout import Dropout

Sees = Literal["prefix", "item"]


class Gate(nn.Module):
    """A network (J + 1) D -> 2 D -> J, softmax with a temperature.

    Its first map is linear, and so is the mean over a prefix. So each distinct item passes the map once, and the means
    are taken of the results.

    Args:
        components: J.
        width: D.
        temperature: divides the logits; smaller is sharper.
        dropout: on the hidden layer.
        sees: `prefix`, the mean of components and ids over items 1..t; or `item`, those of the item at t.
    """

    def __init__(
        self,
        components: int,
        width: int,
        temperature: float = 0.7,
        dropout: float = 0.3,
        sees: Sees = "prefix",
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.sees = sees
        self.inner = nn.Linear((components + 1) * width, 2 * width)
        self.outer = nn.Linear(2 * width, components)
        self.dropout = Dropout(dropout)

    def evidence(
        self, components_IJD: Float[Tensor, "I J D"], ids_ID: Float[Tensor, "I D"]
    ) -> Float[Tensor, "I E"]:
        """Return the term of each item in the hidden layer, without its bias; E = 2 D."""
        return F.linear(torch.cat([components_IJD.flatten(1), ids_ID], 1), self.inner.weight)

    def forward(self, evidence: Float[Tensor, "*P E"]) -> Float[Tensor, "*P J"]:
        """Return the weights for evidence averaged over the items that the gate sees; they sum to one."""
        hidden = self.dropout(F.gelu(evidence + self.inner.bias))
        return (self.outer(hidden) / self.temperature).softmax(-1)

    def weigh(self, reading: Reading) -> Float[Tensor, "P J"]:
        """Return the weights at every place of a batch of histories."""
        evidence_PE = reading.evidence()
        if self.sees == "prefix":
            evidence_PE = reading.packing.each_place(prefix_means, evidence_PE)
        return self(evidence_PE)


def prefix_means(x_BLE: Float[Tensor, "B L E"], lengths_B: Int[Tensor, " B"]) -> Float[Tensor, "B L E"]:
    """Return at each position the mean over positions up to it; padding comes after them and changes none."""
    counts_L1 = torch.arange(1, x_BLE.shape[1] + 1, device=x_BLE.device)[:, None]
    return x_BLE.cumsum(1) / counts_L1
