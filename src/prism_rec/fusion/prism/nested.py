"""PRISM nested over the sum: linear parts as in `sum`, experts beside them that start at zero."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from prism_rec.config import Config
from prism_rec.fusion.base import (
    Encode,
    Features,
    Fused,
    Fusion,
    History,
    Parts,
    Projections,
)
from prism_rec.fusion.prism.experts import Experts
from prism_rec.fusion.prism.losses import Distance, Lambdas, interaction_losses
from prism_rec.fusion.prism.module import component_presence, component_roles, lambda_vector
from prism_rec.fusion.prism.open_gate import OpenGate
from prism_rec.fusion.prism.views import Mask, make_masks, masked_views
from prism_rec.nn.dropout import Dropout
from prism_rec.nn.gather import gather_rows

GatedSide = Literal["none", "history", "both"]


class NestedPrismConfig(Config):
    """Settings of PRISM nested over the sum.

    `hidden` is the width of the experts' hidden layer. `dropout` acts on what is added to the ids of a history, never
    on candidates. `gate` says on which side of the score the personal weights count; on the `history` side alone, an
    item is one vector as a candidate, the same for all users. `penalty` weighs the mean square by which the weights
    differ from 1. `lambdas` weigh the interaction losses, which shape the experts and leave the linear parts as they
    are.
    """

    kind: Literal["prism_nested"] = "prism_nested"
    hidden: int = Field(32, ge=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    gate: GatedSide = "history"
    gate_hidden: int = Field(32, ge=1)
    penalty: float = Field(0.0, ge=0)
    lambdas: Lambdas = Lambdas(unique=0.01, redundancy=0.01, synergy=0.01)
    mask: Mask = "random"
    margin: float = Field(0.5, gt=0)
    triplet_distance: Distance = "cosine"

    def build(self, modalities: Mapping[str, int | None], width: int) -> "NestedPrismFusion":
        """Make the fusion."""
        return NestedPrismFusion(modalities, width, self)


class NestedPrismFusion(Fusion):
    """Components e_unique:m = P_m x_m + s_m E_m(x), e_redundancy = s_r E_r(x), e_synergy = s_s E_s(x).

    P_m is the linear map of `sum`; E_j is an expert, a network of all modalities of the item; s_j is a learned vector
    of D that starts at zero and multiplies element by element. So the fusion starts as `sum` and leaves it only as far
    as that lowers the loss.
    """

    def __init__(self, modalities: Mapping[str, int | None], width: int, config: NestedPrismConfig) -> None:
        super().__init__(modalities, width)
        roles = component_roles(tuple(modalities))
        self.component_names, self.roles_J = tuple(roles), tuple(roles.values())
        self.config = config
        self.personal = config.gate == "both"
        self.projections = Projections(modalities, width, learned_absent=False)
        self.experts = Experts(len(modalities), len(roles), width, config.hidden, dropout=0.0)
        self.scale_JD = nn.Parameter(torch.zeros(len(roles), width))
        self.gate = None if config.gate == "none" else OpenGate(len(roles), width, config.gate_hidden)
        self.dropout = Dropout(config.dropout)
        lambdas_J = lambda_vector(config.lambdas, tuple(modalities), self.roles_J)
        self.register_buffer("lambdas_J", lambdas_J, persistent=False)
        self.shaped = bool(lambdas_J.any())

    lambdas_J: Tensor

    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return each item's components."""
        projected_IMD = self.projections(features)
        present_IJ = component_presence(features.present_IM, self.roles_J)
        said_IJD = self.experts(projected_IMD).transpose(0, 1) * self.scale_JD
        modalities = projected_IMD.shape[1]
        unique_IMD = projected_IMD + said_IJD[:, :modalities]
        components_IJD = torch.cat([unique_IMD, said_IJD[:, modalities:]], 1) * present_IJ[..., None]
        return Parts(components_IJD, present_IJ, projected_IMD)

    def evidence(self, parts: Parts, ids_ID: Float[Tensor, "I D"]) -> Float[Tensor, "I E"]:
        """Return the gate's view of each item."""
        if self.gate is None:
            return super().evidence(parts, ids_ID)
        return self.gate.evidence(parts.components_IJD, ids_ID)

    def forward(self, history: History) -> Fused:
        """Add the components with the user's weights (equation 11)."""
        components_IJD = history.parts.components_IJD
        if self.gate is None:
            vectors_PD = gather_rows(components_IJD.sum(1), history.index_P)
            weights_PJ = components_IJD.new_ones(len(vectors_PD), components_IJD.shape[1])
            return Fused(self.dropout(vectors_PD), weights_PJ)
        weights_PJ = self.gate.weigh(history)
        components_PJD = gather_rows(components_IJD, history.index_P)
        vectors_PD = (weights_PJ[:, None] @ components_PJD).squeeze(1)
        return Fused(self.dropout(vectors_PD), weights_PJ)

    def weigh(
        self, weights: Float[Tensor, "*#P J"], present: Bool[Tensor, "*#P J"]
    ) -> Float[Tensor, "... J"]:
        """Return the weights as they are: an absent component is zero."""
        return weights * present

    def interaction_loss(self, history: History, encode: Encode) -> Float[Tensor, ""]:
        """Return equation 9 over the distinct items of the histories, and the penalty of the gate."""
        loss = history.ids_ID.new_zeros(())
        if self.gate is not None and self.config.penalty:
            loss = loss + self.config.penalty * (self.gate.weigh(history) - 1).square().mean()
        if not self.shaped:
            return loss
        projected_SMD = history.seen.parts.projected_IMD.detach()
        present_SM = history.features.present_IM[history.seen.items_S]
        masks = make_masks(self.config.mask, projected_SMD, present_SM).unbind(1)
        full_JSD = self.experts(projected_SMD)
        views = masked_views(self.experts, self.roles_J, full_JSD, projected_SMD.unbind(1), masks)
        return loss + self.lambdas_J @ interaction_losses(
            self.roles_J, views, present_SM, self.config.margin, self.config.triplet_distance
        )
