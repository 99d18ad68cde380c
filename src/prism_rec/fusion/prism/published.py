"""PRISM as its release computes it, for parity and comparison: everything is pooled over the whole history first.

What differs from `module`: image, text and id vectors are averaged over the history, the experts and the gate see
the averages once a sequence, and the result is added at every position. While training, each position so sees items
that come after it, its own target among them; a component is no item's own, so candidates are scored by id alone.
Padding, which the release averages too, is left out.
"""

from collections.abc import Mapping
from typing import Literal

from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from prism_rec.fusion.base import (
    Encode,
    Features,
    Fused,
    Fusion,
    History,
    Parts,
    Projections,
    empty_parts,
    share_weights,
)
from prism_rec.fusion.gate import Gate
from prism_rec.fusion.prism.experts import Experts
from prism_rec.fusion.prism.losses import Distance, interaction_losses
from prism_rec.fusion.prism.module import PrismSettings, component_presence, component_roles, lambda_vector
from prism_rec.fusion.prism.prediction import predict_views
from prism_rec.fusion.prism.views import make_masks, masked_views
from prism_rec.nn.gather import gather_rows


class PublishedPrismConfig(PrismSettings):
    """Settings of PRISM's published form; the release's triplets are Euclidean with a margin of 1."""

    kind: Literal["prism_published"] = "prism_published"
    triplet_distance: Distance = "euclidean"
    margin: float = Field(1.0, gt=0)

    def build(self, modalities: Mapping[str, int | None], width: int) -> "PublishedPrismFusion":
        """Make the fusion."""
        return PublishedPrismFusion(modalities, width, self)


class PublishedPrismFusion(Fusion):
    """Experts and gate on the averages over a whole history; not causal while training."""

    causal = False
    scores_content = False

    def __init__(
        self, modalities: Mapping[str, int | None], width: int, config: PublishedPrismConfig
    ) -> None:
        super().__init__(modalities, width)
        self.roles_J = tuple(component_roles(tuple(modalities)).values())
        components = len(self.roles_J)
        self.config = config
        self.projections = Projections(modalities, width, learned_absent=True)
        self.experts = Experts(len(modalities), components, width, config.hidden, config.dropout)
        self.gate = Gate(components, width, config.temperature, config.gate_dropout)
        lambdas_J = lambda_vector(config.lambdas, tuple(modalities), self.roles_J)
        self.register_buffer("lambdas_J", lambdas_J, persistent=False)
        self.shaped = bool(lambdas_J.any())

    lambdas_J: Tensor

    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return no components: an item has none of its own here."""
        return empty_parts(ids_ID[:, None, :][:, :0])

    def forward(self, history: History) -> Fused:
        """Add the same fused vector at every place of a history."""
        projected_BMD, present_BM = self._pool(history)
        ids_BD = history.mean(history.ids_ID)
        present_BJ = component_presence(present_BM, self.roles_J)
        components_BJD = self.experts(projected_BMD).transpose(0, 1) * present_BJ[..., None]
        weights_BJ = share_weights(self.gate(self.gate.evidence(components_BJD, ids_BD)), present_BJ)
        fused_BD = (weights_BJ[..., None] * components_BJD).sum(1)
        fused_PD = gather_rows(fused_BD, history.packing.owners())
        return Fused(fused_PD, fused_PD[:, :0])

    def interaction_loss(self, history: History, encode: Encode) -> Float[Tensor, ""]:
        """Return equation 9 over the averages, one a sequence."""
        if not self.shaped:  # then no view needs to be made
            return super().interaction_loss(history, encode)
        projected_BMD, present_BM = self._pool(history)
        masks = make_masks(self.config.mask, projected_BMD, present_BM).unbind(1)
        full_JBD = self.experts(projected_BMD)
        views = masked_views(self.experts, self.roles_J, full_JBD, projected_BMD.unbind(1), masks)
        if self.config.losses_on == "prediction":
            present_BJ = component_presence(present_BM, self.roles_J)
            views = predict_views(views, present_BJ, encode, history.packing.owners())
        return self.lambdas_J @ interaction_losses(
            self.roles_J, views, present_BM, self.config.margin, self.config.triplet_distance
        )

    def _pool(self, history: History) -> tuple[Float[Tensor, "B M D"], Bool[Tensor, "B M"]]:
        """Average each modality over the places that have it, then project: the map is linear."""
        counts_BM = history.mean(history.features.present_IM.to(history.ids_ID.dtype))
        pooled = tuple(
            history.mean(vectors) / counts_BM[:, m, None].clamp_min(1e-9)
            for m, vectors in enumerate(history.features.vectors)
        )
        present_BM = counts_BM > 0
        return self.projections(Features(pooled, present_BM)), present_BM
