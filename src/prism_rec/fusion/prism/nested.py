"""PRISM nested over the sum: linear parts as in `sum`, and experts that start at zero."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from prism_rec.fusion.base import Encode, Fused, FusionSettings, Projections, add_components
from prism_rec.fusion.prism.common import component_presence, component_roles, lambda_vector
from prism_rec.fusion.prism.experts import Experts
from prism_rec.fusion.prism.gated import GatedFusion
from prism_rec.fusion.prism.losses import Distance, Lambdas, interaction_losses
from prism_rec.fusion.prism.open_gate import OpenGate
from prism_rec.fusion.prism.views import Mask, make_masks, masked_views
from prism_rec.fusion.reading import Features, ModalityShape, Parts, Reading
from prism_rec.nn.dropout import Dropout
from prism_rec.nn.processes import share
from prism_rec.nn.rows import gather_rows


class NestedPrismConfig(FusionSettings):
    """Settings of PRISM nested over the sum."""

    kind: Literal["prism_nested"] = "prism_nested"
    """Name of the fusion."""
    hidden: int = Field(32, ge=1)
    """Width of each expert's hidden layer."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Probability of dropping an element of a vector that is added to an id in a history."""
    gate: Literal["none", "history"] = "history"
    """Whether a user's weights count in the history. A candidate is one vector, the same for all users."""
    gate_hidden: int = Field(32, ge=1)
    """Width of the gate's hidden layer."""
    penalty: float = Field(0.0, ge=0)
    """Weight of the mean square by which the gate's weights differ from 1."""
    lambdas: Lambdas = Lambdas(unique=0.01, redundancy=0.01, synergy=0.01)
    """Weights of the interaction losses (equation 9). They shape experts, and leave linear parts as they are."""
    mask: Mask = "random"
    """What replaces a modality that a view hides: `random` noise, the batch's `mean` of the modality, or `zero`."""
    margin: float = Field(0.5, gt=0)
    """Margin of the triplet losses."""
    triplet_distance: Distance = "cosine"
    """Distance in the triplet losses: `cosine` or `euclidean`."""

    def build(self, modalities: Mapping[str, ModalityShape], width: int) -> "NestedPrismFusion":
        """Make the fusion."""
        return NestedPrismFusion(modalities, width, self)


class NestedPrismFusion(GatedFusion):
    """Components e_unique:m = P_m x_m + s_m E_m(x), e_redundancy = s_r E_r(x), e_synergy = s_s E_s(x).

    P_m is the linear map of `sum`; E_j is an expert, a network of all modalities of the item; s_j is a learned vector
    of D that starts at zero and multiplies element by element. So the fusion starts as `sum`, and leaves it only as far
    as that lowers the loss.
    """

    lambdas_J: Tensor

    def __init__(
        self, modalities: Mapping[str, ModalityShape], width: int, config: NestedPrismConfig
    ) -> None:
        super().__init__(modalities, width)
        roles = component_roles(tuple(modalities))
        self.component_names, self.roles_J = tuple(roles), tuple(roles.values())
        self.config = config
        self.projections = Projections(modalities, width, learned_absent=False)
        self.experts = Experts(len(modalities), len(roles), width, config.hidden, dropout=0.0)
        self.scale_JD = nn.Parameter(torch.zeros(len(roles), width))
        self.gate = None if config.gate == "none" else OpenGate(len(roles), width, config.gate_hidden)
        self.dropout = Dropout(config.dropout)
        lambdas_J = lambda_vector(config.lambdas, tuple(modalities), self.roles_J)
        self.register_buffer("lambdas_J", lambdas_J, persistent=False)
        self.has_losses = bool(lambdas_J.any())

    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return each item's components."""
        projected_IMD = self.projections(features)
        present_IJ = component_presence(features.present_IM, self.roles_J)
        of_experts_IJD = self.experts(projected_IMD).transpose(0, 1) * self.scale_JD
        modalities = projected_IMD.shape[1]
        unique_IMD = projected_IMD + of_experts_IJD[:, :modalities]
        components_IJD = torch.cat([unique_IMD, of_experts_IJD[:, modalities:]], 1) * present_IJ[..., None]
        return Parts(components_IJD, present_IJ, projected_IMD)

    def forward(self, reading: Reading) -> Fused:
        """Add the components, with the user's weights if there is a gate."""
        if self.gate is None:
            fused = add_components(reading)
            return fused._replace(vectors_PD=self.dropout(fused.vectors_PD))
        weights_PJ = self.gate.weigh(reading)
        components_PJD = gather_rows(reading.items.parts.components_IJD, reading.index_P)
        vectors_PD = (weights_PJ[:, None] @ components_PJD).squeeze(1)
        # Candidates have weight one, so these are the weights of a score.
        return Fused(self.dropout(vectors_PD), torch.ones_like(weights_PJ))

    def interaction_loss(self, reading: Reading, encode: Encode) -> Float[Tensor, ""]:
        """Return equation 9 over the distinct items of the histories, and the penalty of the gate."""
        loss = reading.items.ids_ID.new_zeros(())
        if self.gate is not None and self.config.penalty:
            weights_PJ = self.gate.weigh(reading)
            loss = loss + self.config.penalty * (weights_PJ - 1).square().mean() * share(
                len(weights_PJ), weights_PJ.device
            )
        if not self.has_losses:
            return loss
        items_S, parts = reading.items.seen
        projected_SMD = parts.projected_IMD.detach()
        present_SM = reading.items.features.present_IM[items_S]
        masks = make_masks(self.config.mask, projected_SMD, present_SM).unbind(1)
        full_JSD = self.experts(projected_SMD)
        views = masked_views(self.experts, self.roles_J, full_JSD, projected_SMD.unbind(1), masks)
        return loss + self.lambdas_J @ interaction_losses(
            self.roles_J,
            views,
            present_SM & reading.items.counted_here()[:, None],
            self.config.margin,
            self.config.triplet_distance,
        )
