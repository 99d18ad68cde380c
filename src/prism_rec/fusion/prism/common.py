"""The parts that both forms of PRISM share: settings, experts, the roles of components, and the weighted losses."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from prism_rec.errors import SettingsError
from prism_rec.fusion.base import Fusion, FusionSettings, Projections
from prism_rec.fusion.prism.experts import Experts
from prism_rec.fusion.prism.losses import Distance, Lambdas, interaction_losses
from prism_rec.fusion.prism.views import Mask, Role, Views, make_masks, masked_views
from prism_rec.fusion.reading import ModalityShape


class PrismSettings(FusionSettings):
    """The settings that every form of PRISM has."""

    hidden: int = Field(128, ge=1)
    """Width of each expert's hidden layer."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Probability of dropping an element of the experts' hidden layers."""
    gate_dropout: float = Field(0.3, ge=0, lt=1)
    """Probability of dropping an element of the gate's hidden layer."""
    temperature: float = Field(0.7, gt=0)
    """Divides the gate's logits; a smaller one gives weights nearer to 0 and 1."""
    lambdas: Lambdas = Lambdas()
    """Weights of the interaction losses (equation 9)."""
    losses_on: Literal["embedding", "prediction"] = "embedding"
    """What the interaction losses compare.

    `embedding`: the experts' outputs (the release). `prediction`: the user states obtained by encoding the history with
    one expert's outputs at a time (the paper, equations 2 to 4), which takes 5 M + 2 more encoder passes.
    """
    mask: Mask = "random"
    """What replaces a modality that a view hides: `random` noise, the batch's `mean` of the modality, or `zero`."""
    margin: float = Field(0.5, gt=0)
    """Margin of the triplet losses."""
    triplet_distance: Distance = "cosine"
    """Distance in the triplet losses: the paper's `cosine`, or the release's `euclidean` (with a margin of 1)."""


class PrismBase(Fusion):
    """Projections, experts and weighted losses; a subclass says what the experts see and how users weigh them.

    Args:
        modalities: name -> what the fusion gets of it.
        width: D.
        config: the settings.
        roles: the J components by name, in order.

    Raises:
        SettingsError: `lambdas` names a modality that does not exist.
    """

    lambdas_J: Tensor

    def __init__(
        self,
        modalities: Mapping[str, ModalityShape],
        width: int,
        config: PrismSettings,
        roles: Mapping[str, Role],
    ) -> None:
        super().__init__(modalities, width)
        self.config = config
        self.roles_J = tuple(roles.values())
        self.projections = Projections(modalities, width, learned_absent=True)
        self.experts = Experts(len(modalities), len(roles), width, config.hidden, config.dropout)
        lambdas_J = lambda_vector(config.lambdas, tuple(modalities), self.roles_J)
        self.register_buffer("lambdas_J", lambdas_J, persistent=False)
        self.has_losses = bool(lambdas_J.any())

    def make_views(
        self,
        projected_RMD: Float[Tensor, "R M D"],
        present_RM: Bool[Tensor, "R M"],
        full_JRD: Float[Tensor, "J R D"] | None = None,
    ) -> list[Views]:
        """Return each expert's outputs for R items or histories, with nothing masked and under its masks.

        Args:
            projected_RMD: the projected modalities.
            present_RM: which modalities each row has.
            full_JRD: the experts' outputs with nothing masked; computed here if not given.
        """
        masks = make_masks(self.config.mask, projected_RMD, present_RM).unbind(1)
        if full_JRD is None:
            full_JRD = self.experts(projected_RMD)
        return masked_views(self.experts, self.roles_J, full_JRD, projected_RMD.unbind(1), masks)

    def weigh_losses(self, views_J: Sequence[Views], present_RM: Bool[Tensor, "R M"]) -> Float[Tensor, ""]:
        """Return the weighted sum of the losses of all experts (equation 9)."""
        return self.lambdas_J @ interaction_losses(
            self.roles_J, views_J, present_RM, self.config.margin, self.config.triplet_distance
        )


def component_roles(modalities: Sequence[str]) -> dict[str, Role]:
    """Return the role of each of the M + 2 components by its name, in the order used everywhere."""
    uniques = {f"unique:{modality}": m for m, modality in enumerate(modalities)}
    return {**uniques, "redundancy": "redundancy", "synergy": "synergy"}


def component_presence(present_IM: Bool[Tensor, "I M"], roles_J: Sequence[Role]) -> Bool[Tensor, "I J"]:
    """Return which components an item has: unique parts if it has their modality, the others if it has any."""
    described_I = present_IM.any(1)
    return torch.stack([present_IM[:, role] if isinstance(role, int) else described_I for role in roles_J], 1)


def lambda_vector(
    lambdas: Lambdas, modalities: Sequence[str], roles_J: Sequence[Role]
) -> Float[Tensor, " J"]:
    """Return the loss weights in the order of the components.

    Raises:
        SettingsError: a weight for a modality that does not exist.
    """
    for name in lambdas.uniques:
        if name not in modalities:
            have = ", ".join(modalities)
            raise SettingsError(f"fusion.lambdas.uniques: there is no modality {name!r}; there are: {have}")
    return torch.tensor(
        [
            lambdas.of_unique(modalities[role]) if isinstance(role, int) else getattr(lambdas, role)
            for role in roles_J
        ],
        device="cpu",  # its values are read even if the model has none (device meta)
    )
