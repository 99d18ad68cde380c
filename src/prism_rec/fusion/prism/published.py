"""PRISM as its release computes it, for parity and comparison: everything is averaged over the history first.

Differences from `module`: image, text and id vectors are averaged over the history, the experts and the gate see these
averages once per history, and the result is added at every position. During training, each position therefore sees
items that come after it, its own target among them. Components belong to no item, so candidates are scored by id only.
The release averages padding too; here it is left out.
"""

from collections.abc import Mapping
from typing import Literal

from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from prism_rec.fusion.base import Encode, Fused, no_components, share_weights
from prism_rec.fusion.gate import Gate
from prism_rec.fusion.prism.common import PrismBase, PrismSettings, component_presence, component_roles
from prism_rec.fusion.prism.losses import Distance
from prism_rec.fusion.prism.prediction import predict_views
from prism_rec.fusion.reading import Features, ModalityShape, Parts, Reading
from prism_rec.nn.rows import gather_rows


class PublishedPrismConfig(PrismSettings):
    """Settings of PRISM's published form."""

    kind: Literal["prism_published"] = "prism_published"
    """Name of the fusion."""
    triplet_distance: Distance = "euclidean"
    """Distance in the triplet losses: the release's `euclidean`, or the paper's `cosine`."""
    margin: float = Field(1.0, gt=0)
    """Margin of the triplet losses; the release's is 1."""

    def build(self, modalities: Mapping[str, ModalityShape], width: int) -> "PublishedPrismFusion":
        """Make the fusion."""
        return PublishedPrismFusion(modalities, width, self)


class PublishedPrismFusion(PrismBase):
    """Experts and gate on the averages over a whole history; not causal during training."""

    causal = False
    scores_content = False

    def __init__(
        self, modalities: Mapping[str, ModalityShape], width: int, config: PublishedPrismConfig
    ) -> None:
        roles = component_roles(tuple(modalities))
        super().__init__(modalities, width, config, roles)
        self.gate = Gate(len(roles), width, config.temperature, config.gate_dropout)

    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return no components: in this form, components belong to histories."""
        return no_components(ids_ID[:, None, :][:, :0])

    def forward(self, reading: Reading) -> Fused:
        """Add the same fused vector at every place of a history."""
        projected_BMD, present_BM = self._average(reading)
        ids_BD = reading.mean(reading.items.ids_ID)
        present_BJ = component_presence(present_BM, self.roles_J)
        components_BJD = self.experts(projected_BMD).transpose(0, 1) * present_BJ[..., None]
        weights_BJ = share_weights(self.gate(self.gate.evidence(components_BJD, ids_BD)), present_BJ)
        fused_BD = (weights_BJ[..., None] * components_BJD).sum(1)
        fused_PD = gather_rows(fused_BD, reading.packing.owners())
        return Fused(fused_PD, fused_PD[:, :0])

    def interaction_loss(self, reading: Reading, encode: Encode) -> Float[Tensor, ""]:
        """Return equation 9 over the averages of the histories."""
        if not self.has_losses:  # then no view needs to be made
            return super().interaction_loss(reading, encode)
        projected_BMD, present_BM = self._average(reading)
        views = self.make_views(projected_BMD, present_BM)
        if self.config.losses_on == "prediction":
            present_BJ = component_presence(present_BM, self.roles_J)
            views = predict_views(views, present_BJ, encode, reading.packing.owners())
        return self.weigh_losses(views, present_BM)

    def _average(self, reading: Reading) -> tuple[Float[Tensor, "B M D"], Bool[Tensor, "B M"]]:
        """Average each modality over the places that have it, then project: the map is linear."""
        features = reading.items.features
        counts_BM = reading.mean(features.present_IM.to(reading.items.ids_IV.dtype))
        averages = tuple(
            reading.mean(vectors) / counts_BM[:, m, None].clamp_min(1e-9)
            for m, vectors in enumerate(features.vectors)
        )
        present_BM = counts_BM > 0
        return self.projections(Features(averages, present_BM, ())), present_BM
