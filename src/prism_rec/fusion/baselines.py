"""Fusions without experts: the controls that any claim for PRISM has to beat."""

from collections.abc import Mapping
from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from prism_rec.config import Config
from prism_rec.fusion.base import (
    Features,
    Fused,
    Fusion,
    History,
    Parts,
    Projections,
    add_components,
    empty_parts,
    weigh_components,
)
from prism_rec.fusion.gate import Gate, Sees


class IdFusion(Fusion):
    """No pictures, no texts: an item is its id."""

    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return no components."""
        return empty_parts(ids_ID[:, None, :][:, :0])

    def forward(self, history: History) -> Fused:
        """Add nothing."""
        places = len(history.index_P)
        return Fused(history.ids_ID.new_zeros(places, self.width), history.ids_ID.new_zeros(places, 0))


class SumFusion(Fusion):
    """Each modality's projection is added as it is; a modality that an item lacks adds nothing."""

    def __init__(self, modalities: Mapping[str, int | None], width: int) -> None:
        super().__init__(modalities, width)
        self.component_names = tuple(self.modalities)
        self.projections = Projections(modalities, width, learned_absent=False)

    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return the projections as components."""
        projected_IMD = self.projections(features)
        return Parts(projected_IMD, features.present_IM, projected_IMD)

    def forward(self, history: History) -> Fused:
        """Add all components with weight one."""
        return add_components(history)


class ConcatFusion(Fusion):
    """The projections side by side through a network M D -> 2 D -> D: one component, `concat`."""

    component_names = ("concat",)

    def __init__(self, modalities: Mapping[str, int | None], width: int) -> None:
        super().__init__(modalities, width)
        self.projections = Projections(modalities, width, learned_absent=True)
        self.inner = nn.Linear(len(modalities) * width, 2 * width)
        self.outer = nn.Linear(2 * width, width)

    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return one component a described item."""
        projected_IMD = self.projections(features)
        described_I1 = features.present_IM.any(1, keepdim=True)
        concat_ID = self.outer(F.gelu(self.inner(projected_IMD.flatten(1)))) * described_I1
        return Parts(concat_ID[:, None], described_I1, projected_IMD)

    def forward(self, history: History) -> Fused:
        """Add the component with weight one."""
        return add_components(history)


class GateFusion(Fusion):
    """PRISM's gate over the projections themselves: personal weights without experts."""

    personal = True

    def __init__(
        self, modalities: Mapping[str, int | None], width: int, temperature: float, dropout: float, sees: Sees
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
        """Return the gate's view of each item; of a modality that it lacks, the learned absent vector."""
        return self.gate.evidence(parts.projected_IMD, ids_ID)

    def forward(self, history: History) -> Fused:
        """Add the components with the user's weights."""
        return weigh_components(history, self.gate.weigh(history))


class IdFusionConfig(Config):
    """Settings of the fusion `id`; there are none."""

    kind: Literal["id"] = "id"

    def build(self, modalities: Mapping[str, int | None], width: int) -> IdFusion:
        """Make the fusion; the modalities are left aside."""
        return IdFusion({}, width)


class SumFusionConfig(Config):
    """Settings of the fusion `sum`; there are none."""

    kind: Literal["sum"] = "sum"

    def build(self, modalities: Mapping[str, int | None], width: int) -> SumFusion:
        """Make the fusion."""
        return SumFusion(modalities, width)


class ConcatFusionConfig(Config):
    """Settings of the fusion `concat`; there are none."""

    kind: Literal["concat"] = "concat"

    def build(self, modalities: Mapping[str, int | None], width: int) -> ConcatFusion:
        """Make the fusion."""
        return ConcatFusion(modalities, width)


class GateFusionConfig(Config):
    """Settings of the fusion `gate`."""

    kind: Literal["gate"] = "gate"
    temperature: float = Field(0.7, gt=0)
    dropout: float = Field(0.3, ge=0, lt=1)
    sees: Sees = "prefix"

    def build(self, modalities: Mapping[str, int | None], width: int) -> GateFusion:
        """Make the fusion."""
        return GateFusion(modalities, width, self.temperature, self.dropout, self.sees)
