"""Components that a gate weighs for each user, or that are added if there is no gate."""

from jaxtyping import Float
from torch import Tensor

from prism_rec.fusion.base import Fused, Fusion, add_components, weigh_components
from prism_rec.fusion.gate import Gate
from prism_rec.fusion.prism.open_gate import OpenGate
from prism_rec.fusion.reading import Parts, Reading


class GatedFusion(Fusion):
    """A fusion whose gate, if it has one, sees the components of an item and its id.

    Attributes:
        gate: weighs the components; None: each weight is one.
    """

    gate: Gate | OpenGate | None

    def evidence(self, parts: Parts, ids_ID: Float[Tensor, "I D"]) -> Float[Tensor, "I E"]:
        """Return the gate's input from each item."""
        if self.gate is None:
            return super().evidence(parts, ids_ID)
        return self.gate.evidence(parts.components_IJD, ids_ID)

    def forward(self, reading: Reading) -> Fused:
        """Add the components with the user's weights (PRISM, equation 11)."""
        if self.gate is None:
            return add_components(reading)
        return weigh_components(reading, self.gate.weigh(reading))
