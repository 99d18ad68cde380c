"""PRISM in the form that this library recommends: experts of each item, weighed by a gate for each user."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from prism_rec.config import Config
from prism_rec.errors import InputError
from prism_rec.fusion.base import (
    Encode,
    Features,
    Fused,
    Fusion,
    History,
    Parts,
    Projections,
    add_components,
    weigh_components,
)
from prism_rec.fusion.gate import Gate, Sees
from prism_rec.fusion.prism.experts import Experts
from prism_rec.fusion.prism.losses import Distance, Lambdas, interaction_losses
from prism_rec.fusion.prism.prediction import predict_views
from prism_rec.fusion.prism.views import Mask, Role, make_masks, masked_views


class PrismSettings(Config):
    """What every form of PRISM has in common.

    `lambdas` weigh the interaction losses. `losses_on` says what these compare: `embedding`, the experts' outputs (the
    release); or `prediction`, the states that a history leads to where one expert alone speaks of its items (the paper,
    equations 2 to 4), for which the encoder reads each history 5 M + 2 times more. `mask` is what stands for a modality
    that a view hides: `random` noise, the batch's `mean`, or `zero`. `triplet_distance` is the paper's `cosine` or the
    release's `euclidean` (which used a margin of 1); `dropout` acts in the experts, `gate_dropout` in the gate.
    """

    hidden: int = Field(128, ge=1)
    dropout: float = Field(0.3, ge=0, lt=1)
    gate_dropout: float = Field(0.3, ge=0, lt=1)
    temperature: float = Field(0.7, gt=0)
    lambdas: Lambdas = Lambdas()
    losses_on: Literal["embedding", "prediction"] = "embedding"
    mask: Mask = "random"
    margin: float = Field(0.5, gt=0)
    triplet_distance: Distance = "cosine"


class PrismConfig(PrismSettings):
    """Settings of PRISM.

    `sees` says what the gate looks at, the items so far or the one at hand. For ablations, `without` names components
    whose experts are left out, and `adaptive: false` leaves out the gate: components are added as they are.
    """

    kind: Literal["prism"] = "prism"
    sees: Sees = "prefix"
    without: tuple[str, ...] = ()
    adaptive: bool = True

    def build(self, modalities: Mapping[str, int | None], width: int) -> "PrismFusion":
        """Make the fusion."""
        return PrismFusion(modalities, width, self)


class PrismFusion(Fusion):
    """M unique experts, one for redundancy, one for synergy; each sees one item's projected modalities alone.

    The components are an item's own: new items have them without retraining, and a score is the sum of what
    each contributes. A modality that an item lacks is a learned vector to the experts, and its unique component is
    left out; an item with no modality is its id alone.

    Raises:
        InputError: the settings leave out a component that there is not, or all of them.
    """

    def __init__(self, modalities: Mapping[str, int | None], width: int, config: PrismConfig) -> None:
        super().__init__(modalities, width)
        roles = _leave_out(config.without, component_roles(tuple(modalities)))
        self.component_names, self.roles_J = tuple(roles), tuple(roles.values())
        self.config = config
        self.personal = config.adaptive
        components = len(roles)
        self.projections = Projections(modalities, width, learned_absent=True)
        self.experts = Experts(len(modalities), components, width, config.hidden, config.dropout)
        self.gate = (
            Gate(components, width, config.temperature, config.gate_dropout, config.sees)
            if config.adaptive
            else None
        )
        lambdas_J = lambda_vector(config.lambdas, tuple(modalities), self.roles_J)
        self.register_buffer("lambdas_J", lambdas_J, persistent=False)
        self.shaped = bool(lambdas_J.any())

    lambdas_J: Tensor

    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return each item's components: what the experts say of it."""
        projected_IMD = self.projections(features)
        present_IJ = component_presence(features.present_IM, self.roles_J)
        components_IJD = self.experts(projected_IMD).transpose(0, 1).contiguous() * present_IJ[..., None]
        return Parts(components_IJD, present_IJ, projected_IMD)

    def evidence(self, parts: Parts, ids_ID: Float[Tensor, "I D"]) -> Float[Tensor, "I E"]:
        """Return the gate's view of each item."""
        if self.gate is None:
            return super().evidence(parts, ids_ID)
        return self.gate.evidence(parts.components_IJD, ids_ID)

    def forward(self, history: History) -> Fused:
        """Add the components with the user's weights (equation 11)."""
        if self.gate is None:
            return add_components(history)
        return weigh_components(history, self.gate.weigh(history))

    def interaction_loss(self, history: History, encode: Encode) -> Float[Tensor, ""]:
        """Return equation 9 over the distinct items of the histories, or over the histories."""
        if not self.shaped:  # then no view needs to be made
            return super().interaction_loss(history, encode)
        seen_S, (components_SJD, present_SJ, projected_SMD) = history.seen
        present_SM = history.features.present_IM[seen_S]
        masks = make_masks(self.config.mask, projected_SMD, present_SM).unbind(1)
        full_JSD = components_SJD.transpose(0, 1)
        views = masked_views(self.experts, self.roles_J, full_JSD, projected_SMD.unbind(1), masks)
        present_UM = present_SM
        if self.config.losses_on == "prediction":
            place_I = torch.zeros_like(history.ids_IV[:, 0], dtype=torch.long)
            place_I[seen_S] = torch.arange(len(seen_S), device=place_I.device)
            views = predict_views(views, present_SJ, encode, place_I[history.index_P])
            present_UM = history.mean(history.features.present_IM.to(history.ids_IV.dtype)) > 0
        return self.lambdas_J @ interaction_losses(
            self.roles_J, views, present_UM, self.config.margin, self.config.triplet_distance
        )


def component_roles(modalities: Sequence[str]) -> dict[str, Role]:
    """Return what each of the M + 2 components is for, by its name, in the order used everywhere."""
    uniques = {f"unique:{modality}": m for m, modality in enumerate(modalities)}
    return {**uniques, "redundancy": "redundancy", "synergy": "synergy"}


def component_presence(present_IM: Bool[Tensor, "I M"], roles_J: Sequence[Role]) -> Bool[Tensor, "I J"]:
    """Return which components an item has: unique parts with their modality, the others with any."""
    described_I = present_IM.any(1)
    return torch.stack([present_IM[:, role] if isinstance(role, int) else described_I for role in roles_J], 1)


def lambda_vector(
    lambdas: Lambdas, modalities: Sequence[str], roles_J: Sequence[Role]
) -> Float[Tensor, " J"]:
    """Return the loss weights in the order of the components.

    Raises:
        InputError: a weight for a modality that there is not.
    """
    for name in lambdas.uniques:
        if name not in modalities:
            have = ", ".join(modalities)
            raise InputError(f"fusion.lambdas.uniques: there is no modality {name!r}; there are: {have}")
    return torch.tensor(
        [
            lambdas.of_unique(modalities[role]) if isinstance(role, int) else getattr(lambdas, role)
            for role in roles_J
        ]
    )


def _leave_out(names: Sequence[str], roles: Mapping[str, Role]) -> dict[str, Role]:
    for name in names:
        if name not in roles:
            raise InputError(f"fusion.without: there is no component {name!r}; there are: {', '.join(roles)}")
    kept = {name: role for name, role in roles.items() if name not in names}
    if not kept:
        raise InputError("fusion.without names every component; leave one, or take the fusion id")
    return kept
