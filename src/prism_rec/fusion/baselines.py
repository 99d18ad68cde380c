"""Fusions without experts: the baselines that any claim for PRISM has to beat."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from prism_rec.fusion.base import (
    Fused,
    Fusion,
    FusionSettings,
    Projections,
    add_components,
    no_components,
    weigh_components,
)
from prism_rec.fusion.gate import Gate, Sees
from prism_rec.fusion.reading import Features, ModalityShape, Parts, Reading


class IdFusion(Fusion):
    """No pictures, no texts: an item is its id."""

    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return no components."""
        return no_components(ids_ID[:, None, :][:, :0])

    def forward(self, reading: Reading) -> Fused:
        """Add nothing."""
        places, ids_ID = len(reading.index_P), reading.items.ids_ID
        return Fused(ids_ID.new_zeros(places, self.width), ids_ID.new_zeros(places, 0))


class SumFusion(Fusion):
    """The projection of each modality is added as it is; a modality that an item lacks adds nothing."""

    def __init__(self, modalities: Mapping[str, ModalityShape], width: int) -> None:
        super().__init__(modalities, width)
        self.component_names = tuple(self.modalities)
        self.projections = Projections(modalities, width, learned_absent=False)

    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return the projections as components."""
        projected_IMD = self.projections(features)
        return Parts(projected_IMD, features.present_IM, projected_IMD)

    def forward(self, reading: Reading) -> Fused:
        """Add all components with weight one."""
        return add_components(reading)


class ConcatFusion(Fusion):
    """The projections side by side through a network M D -> 2 D -> D: one component, `concat`."""

    component_names = ("concat",)

    def __init__(self, modalities: Mapping[str, ModalityShape], width: int) -> None:
        super().__init__(modalities, width)
        self.projections = Projections(modalities, width, learned_absent=True)
        self.inner = nn.Linear(len(modalities) * width, 2 * width)
        self.outer = nn.Linear(2 * width, width)

    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return one component per item that has any modality."""
        projected_IMD = self.projections(features)
        described_I1 = features.present_IM.any(1, keepdim=True)
        concat_ID = self.outer(F.gelu(self.inner(projected_IMD.flatten(1)))) * described_I1
        return Parts(concat_ID[:, None], described_I1, projected_IMD)

    def forward(self, reading: Reading) -> Fused:
        """Add the component with weight one."""
        return add_components(reading)


class GateFusion(Fusion):
    """PRISM's gate over the projections themselves: personal weights without experts."""

    personal = True

    def __init__(
        self,
        modalities: Mapping[str, ModalityShape],
        width: int,
        temperature: float,
        dropout: float,
        sees: Sees,
    ) -> None:
        super().__init__(modalities, width)
        self.component_names = tuple(self.modalities)
        self.projections = Projections(modalities, width, learned_absent=True)
        self.gate = Gate(len(modalities), width, temperature, dropout, sees)

    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return the projections as components."""
        projected_IMD = self.projections(features)
        return Parts(projected_IMD * features.present_IM[..., None], features.present_IM, projected_IMD)

    def evidence(self, parts: Parts, ids_ID: Float[Tensor, "I D"]) -> Float[Tensor, "I E"]:
        """Return the gate's input from each item; a learned vector replaces a modality that it lacks."""
        return self.gate.evidence(parts.projected_IMD, ids_ID)

    def forward(self, reading: Reading) -> Fused:
        """Add the components with the user's weights."""
        return weigh_components(reading, self.gate.weigh(reading))


class IdFusionConfig(FusionSettings):
    """Settings of the fusion `id`: an item is its id only."""

    uses_features: ClassVar[bool] = False

    kind: Literal["id"] = "id"
    """Name of the fusion."""

    def build(self, modalities: Mapping[str, ModalityShape], width: int) -> IdFusion:
        """Make the fusion."""
        return IdFusion({}, width)


class SumFusionConfig(FusionSettings):
    """Settings of the fusion `sum`: one component per modality, added with weight one."""

    kind: Literal["sum"] = "sum"
    """Name of the fusion."""

    def build(self, modalities: Mapping[str, ModalityShape], width: int) -> SumFusion:
        """Make the fusion."""
        return SumFusion(modalities, width)


class ConcatFusionConfig(FusionSettings):
    """Settings of the fusion `concat`: one network of all modalities makes one component."""

    kind: Literal["concat"] = "concat"
    """Name of the fusion."""

    def build(self, modalities: Mapping[str, ModalityShape], width: int) -> ConcatFusion:
        """Make the fusion."""
        return ConcatFusion(modalities, width)


class GateFusionConfig(FusionSettings):
    """Settings of the fusion `gate`: one component per modality, weighed for each user."""

    kind: Literal["gate"] = "gate"
    """Name of the fusion."""
    temperature: float = Field(0.7, gt=0)
    """Divides the gate's logits; a smaller one gives weights nearer to 0 and 1."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Probability of dropping an element of the gate's hidden layer."""
    sees: Sees = "prefix"
    """What the gate looks at: `prefix`, all items so far; or `item`, the latest item only."""

    def build(self, modalities: Mapping[str, ModalityShape], width: int) -> GateFusion:
        """Make the fusion."""
        return GateFusion(modalities, width, self.temperature, self.dropout, self.sees)
