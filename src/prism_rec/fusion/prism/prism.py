"""PRISM in the form that this library recommends: the input of a part limits what it can hold."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from prism_rec.errors import SettingsError
from prism_rec.fusion.base import FusionSettings
from prism_rec.fusion.gate import Gate
from prism_rec.fusion.prism.common import component_roles
from prism_rec.fusion.prism.gated import GatedFusion
from prism_rec.fusion.prism.separation import Separation
from prism_rec.fusion.reading import Features, ModalityShape, Parts


class PrismConfig(FusionSettings):
    """Settings of PRISM."""

    kind: Literal["prism"] = "prism"
    """Name of the fusion."""
    shared: float = Field(0.25, ge=0, le=1)
    """A direction of the vectors is shared if the other modalities predict at least this part of its variance."""
    products: int = Field(8, ge=1, le=65_536)
    """Number of products of two modalities from which synergy is made. More can hold more, and also more of chance."""
    gate: Literal["none", "personal"] = "none"
    """Whether parts have weights of each user's own, in histories and in scores: `personal`; or `none`, weights of one.

    With weights of one, a candidate is one vector, the same for all users: training and ranking cost less.
    """
    temperature: float = Field(0.7, gt=0)
    """Divides the logits of a personal gate; a smaller one gives weights nearer to 0 and 1."""
    gate_dropout: float = Field(0.0, ge=0, lt=1)
    """Probability of dropping an element of a personal gate's hidden layer."""

    @model_validator(mode="after")
    def _has_what_its_gate_reads(self) -> "PrismConfig":
        for name in ("temperature", "gate_dropout") if self.gate == "none" else ():
            if getattr(self, name) != type(self).model_fields[name].default:
                raise SettingsError(
                    f"prism with `gate` none does not read `{name}`; remove it or set `gate` personal"
                )
        return self

    def build(self, modalities: Mapping[str, ModalityShape], width: int) -> "PrismFusion":
        """Make the fusion."""
        return PrismFusion(modalities, width, self)


class PrismFusion(GatedFusion):
    """Unique parts and redundancy are linear maps of different directions; synergy is made of products only.

    Before training, the directions that all modalities share are found once in the catalogue (`Separation`); they do
    not change afterwards. What they predict of a modality's vector is taken from it, and the rest is the modality's
    own.

    - A unique part is a linear map of one modality's own rest. It does not change if the other modality does.
    - Redundancy is a linear map of the shared numbers, averaged over the modalities that an item has. By how much each
      modality's numbers differ from the average has a map of its own, which starts at zero.
    - Synergy is a linear map of products of one modality's own rest with another's. If either of the two belonged to
      another item drawn at random, its mean would be zero. An item with one modality has none.

    So no loss is needed to keep them apart, and every sum of linear maps of the vectors can still be learned. Only
    linear relations are seen as shared. The vectors of words are trained; directions are found in the weights of the
    words instead.

    The gate, if there is one, is that of equation 10.
    """

    def __init__(self, modalities: Mapping[str, ModalityShape], width: int, config: PrismConfig) -> None:
        super().__init__(modalities, width)
        roles = component_roles(tuple(modalities))
        self.component_names, self.config = tuple(roles), config
        self.personal = config.gate == "personal"
        sizes = [width if shape.words else shape.size for shape in modalities.values()]
        self.uniques = nn.ModuleList(
            nn.Identity() if shape.words else nn.Linear(shape.size, width, bias=False)
            for shape in modalities.values()
        )
        self.redundancy = nn.Linear(width, width, bias=False)
        self.differences = nn.Parameter(torch.zeros(len(modalities), width, width))
        self.factors = nn.ModuleList(nn.Linear(size, config.products, bias=False) for size in sizes)
        self.synergy = nn.Linear(config.products, width, bias=False)
        self.gate = (
            Gate(len(roles), width, config.temperature, config.gate_dropout) if self.personal else None
        )
        self.separation = Separation(modalities, width, config.shared)

    def begin_training(self, features: Features) -> str | None:
        """Find the shared directions, unless they came with the weights of an earlier run."""
        return self.separation.find(features)

    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return each item's components."""
        present_IM = features.present_IM
        shared_ID, apart_IMD, own = self.separation(features)
        unique_IMD = torch.stack([of(own_IX) for of, own_IX in zip(self.uniques, own, strict=True)], 1)
        factors_MIX = torch.stack([of(own_IX) for of, own_IX in zip(self.factors, own, strict=True)])
        # The sum of the products of every two modalities.
        pairs_IX = (factors_MIX.sum(0).square() - factors_MIX.square().sum(0)) / 2
        redundancy_ID = self.redundancy(shared_ID) + apart_IMD.flatten(1) @ self.differences.flatten(0, 1)
        further = torch.stack([redundancy_ID, self.synergy(pairs_IX)], 1)
        counts_I1 = present_IM.sum(1, keepdim=True)
        present_IJ = torch.cat([present_IM, counts_I1 > 0, counts_I1 > 1], 1)
        components_IJD = torch.cat([unique_IMD, further], 1) * present_IJ[..., None]
        return Parts(components_IJD, present_IJ, unique_IMD)
