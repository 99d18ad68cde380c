"""A gate that starts open: weights of 2 sigmoid(.), each 1 before anything is learned."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from prism_rec.fusion.gate import prefix_means
from prism_rec.fusion.reading import Reading


class OpenGate(nn.Module):
    """A network (J + 1) D -> H -> J over the means of components and ids up to each place (PRISM, equation 10).

    Weights are between 0 and 2. They do not sum to one: a component may count more without another counting less.

    Args:
        components: J.
        width: D.
        hidden: H.
    """

    def __init__(self, components: int, width: int, hidden: int) -> None:
        super().__init__()
        self.inner = nn.Linear((components + 1) * width, hidden)
        self.outer_weight_JH = nn.Parameter(torch.zeros(components, hidden))
        self.outer_bias_J = nn.Parameter(torch.zeros(components))

    def evidence(
        self, components_IJD: Float[Tensor, "I J D"], ids_ID: Float[Tensor, "I D"]
    ) -> Float[Tensor, "I E"]:
        """Return the term of each item in the hidden layer, without its bias; E = H."""
        return F.linear(torch.cat([components_IJD.flatten(1), ids_ID], 1), self.inner.weight)

    def weigh(self, reading: Reading) -> Float[Tensor, "P J"]:
        """Return the weights at every place of a batch of histories."""
        evidence_PE = reading.packing.each_place(prefix_means, reading.evidence())
        hidden_PE = F.gelu(evidence_PE + self.inner.bias)
        return 2 * F.linear(hidden_PE, self.outer_weight_JH, self.outer_bias_J).sigmoid()
