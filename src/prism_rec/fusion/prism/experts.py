"""The interaction experts (PRISM, section 2): one small network per kind of information."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from prism_rec.nn.dropout import Dropout

# What one modality adds to the experts' hidden layer, before bias and activation.
Share = Float[Tensor, "J I H"]


class Experts(nn.Module):
    """J networks M D -> H -> D with GELU, computed together.

    Their first map is linear in the modalities side by side, so it is stored as one part per modality. A masked view of
    an item differs from the full one in some shares only, and needs no new products for the others.

    Args:
        modalities: M.
        components: J.
        width: D.
        hidden: H.
        dropout: on the hidden layer.
    """

    def __init__(self, modalities: int, components: int, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.inner_weight_MJDH = nn.Parameter(torch.empty(modalities, components, width, hidden))
        self.inner_bias_JH = nn.Parameter(torch.zeros(components, hidden))
        self.outer_weight_JHD = nn.Parameter(torch.empty(components, hidden, width))
        self.outer_bias_JD = nn.Parameter(torch.zeros(components, width))
        self.dropout = Dropout(dropout)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw Xavier-normal weights, as for J separate networks."""
        modalities, _, width, hidden = self.inner_weight_MJDH.shape
        nn.init.normal_(self.inner_weight_MJDH, std=(2 / (modalities * width + hidden)) ** 0.5)
        nn.init.normal_(self.outer_weight_JHD, std=(2 / (hidden + width)) ** 0.5)

    def share(self, modality: int, vectors: Float[Tensor, "*J I D"]) -> Share:
        """Return what vectors of one modality add, given the same for all experts or one set per expert."""
        return torch.matmul(vectors, self.inner_weight_MJDH[modality])

    def of_shares(self, shares: Sequence[Share]) -> Float[Tensor, "J I D"]:
        """Return each expert's output for items, given their M shares."""
        hidden_JIH = sum(shares[1:], start=shares[0]) + self.inner_bias_JH[:, None]
        return self._outer(self._activate(hidden_JIH))

    def forward(self, projected_IMD: Float[Tensor, "I M D"]) -> Float[Tensor, "J I D"]:
        """Return each expert's output for items with every modality shown."""
        # One product for all modalities and experts: [I, M D] x [M D, J H].
        weight = self.inner_weight_MJDH.transpose(1, 2).flatten(0, 1).flatten(1)
        hidden_IX = torch.addmm(self.inner_bias_JH.flatten(), projected_IMD.flatten(1), weight)
        # Activated before it is transposed: passes over a transposed tensor take twice as long.
        activated_IX = self._activate(hidden_IX)
        return self._outer(activated_IX.unflatten(1, self.inner_bias_JH.shape).transpose(0, 1))

    def _activate(self, hidden: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        return self.dropout(F.gelu(hidden))

    def _outer(self, activated_JIH: Float[Tensor, "J I H"]) -> Float[Tensor, "J I D"]:
        return torch.baddbmm(self.outer_bias_JD[:, None], activated_JIH, self.outer_weight_JHD)
