"""PRISM with experts per item, shaped by the published losses and weighed by a gate for each user."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from prism_rec.errors import SettingsError
from prism_rec.fusion.base import Encode
from prism_rec.fusion.gate import Gate, Sees
from prism_rec.fusion.prism.common import PrismBase, PrismSettings, component_presence, component_roles
from prism_rec.fusion.prism.gated import GatedFusion
from prism_rec.fusion.prism.prediction import predict_views
from prism_rec.fusion.prism.views import Role
from prism_rec.fusion.reading import Features, ModalityShape, Parts, Reading


class ExpertPrismConfig(PrismSettings):
    """Settings of PRISM with experts."""

    kind: Literal["prism_experts"] = "prism_experts"
    """Name of the fusion."""
    sees: Sees = "prefix"
    """What the gate looks at: `prefix`, all items so far; or `item`, the latest item only."""
    without: tuple[str, ...] = ()
    """Components whose experts are left out, for ablations."""
    adaptive: bool = True
    """Whether there is a gate; without one, components are added with weight one."""

    def build(self, modalities: Mapping[str, ModalityShape], width: int) -> "ExpertPrismFusion":
        """Make the fusion."""
        return ExpertPrismFusion(modalities, width, self)


class ExpertPrismFusion(GatedFusion, PrismBase):
    """M unique experts, one for redundancy, one for synergy; each sees the projected modalities of one item.

    Components belong to an item: new items have them without retraining, and a score is the sum of what each
    contributes. If an item lacks a modality, the experts see a learned vector instead, and the item has no unique
    component of that modality. An item with no modality is its id only.

    Raises:
        SettingsError: the settings leave out a component that does not exist, or all of them.
    """

    def __init__(
        self, modalities: Mapping[str, ModalityShape], width: int, config: ExpertPrismConfig
    ) -> None:
        roles = _leave_out(config.without, component_roles(tuple(modalities)))
        super().__init__(modalities, width, config, roles)
        self.component_names = tuple(roles)
        self.personal = config.adaptive
        self.gate = (
            Gate(len(roles), width, config.temperature, config.gate_dropout, config.sees)
            if config.adaptive
            else None
        )

    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return each item's components: the outputs of the experts."""
        projected_IMD = self.projections(features)
        present_IJ = component_presence(features.present_IM, self.roles_J)
        components_IJD = self.experts(projected_IMD).transpose(0, 1).contiguous()
        components_IJD *= present_IJ[..., None]  # in place: these are the largest tensors of a step
        return Parts(components_IJD, present_IJ, projected_IMD)

    def interaction_loss(self, reading: Reading, encode: Encode) -> Float[Tensor, ""]:
        """Return equation 9 over the distinct items of the histories; on predictions, over the histories."""
        if not self.has_losses:  # then no view needs to be made
            return super().interaction_loss(reading, encode)
        items_S, (components_SJD, present_SJ, projected_SMD) = reading.items.seen
        present_IM = reading.items.features.present_IM
        present_SM = present_IM[items_S]
        views = self.make_views(projected_SMD, present_SM, components_SJD.transpose(0, 1))
        if self.config.losses_on == "embedding":
            return self.weigh_losses(views, present_SM & reading.items.counted_here()[:, None])
        views = predict_views(
            views, present_SJ, encode, _places_in(items_S, len(present_IM))[reading.index_P]
        )
        present_BM = reading.mean(present_IM.to(reading.items.ids_IV.dtype)) > 0
        return self.weigh_losses(views, present_BM)


def _places_in(items_S: Int[Tensor, " S"], items: int) -> Int[Tensor, " I"]:
    """Return for each of I items its place among the S: items [2, 5] of 6 give [0, 0, 0, 0, 0, 1]; 0 if not in it."""
    place_I = torch.zeros(items, dtype=torch.long, device=items_S.device)
    place_I[items_S] = torch.arange(len(items_S), device=items_S.device)
    return place_I


def _leave_out(names: Sequence[str], roles: Mapping[str, Role]) -> dict[str, Role]:
    for name in names:
        if name not in roles:
            raise SettingsError(
                f"fusion.without: there is no component {name!r}; there are: {', '.join(roles)}"
            )
    kept = {name: role for name, role in roles.items() if name not in names}
    if not kept:
        raise SettingsError("fusion.without names every component; leave one, or use the fusion id")
    return kept
