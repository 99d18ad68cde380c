"""PRISM whose parts are separate by construction: what a component sees decides what it can hold."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from prism_rec.errors import SettingsError
from prism_rec.fusion.base import FusionSettings
from prism_rec.fusion.gate import Gate, Sees
from prism_rec.fusion.prism.common import component_roles
from prism_rec.fusion.prism.gated import GatedFusion
from prism_rec.fusion.prism.separation import find_shared
from prism_rec.fusion.reading import Features, Parts


class SeparatedPrismConfig(FusionSettings):
    """Settings of PRISM with separate parts."""

    kind: Literal["prism_separated"] = "prism_separated"
    """Name of the fusion."""
    shared: float = Field(0.25, ge=0, le=1)
    """A direction of the vectors is shared if the other modalities predict at least this part of its variance."""
    products: int = Field(64, ge=1)
    """Number of products of two modalities from which synergy is made."""
    adaptive: bool = True
    """Whether there is a gate; without one, components are added with weight one."""
    sees: Sees = "prefix"
    """What the gate looks at: `prefix`, all items so far; or `item`, the latest item only."""
    temperature: float = Field(0.7, gt=0)
    """Divides the gate's logits; a smaller one gives weights nearer to 0 and 1."""
    gate_dropout: float = Field(0.0, ge=0, lt=1)
    """Probability of dropping an element of the gate's hidden layer."""

    def build(self, modalities: Mapping[str, int | None], width: int) -> "SeparatedPrismFusion":
        """Make the fusion."""
        return SeparatedPrismFusion(modalities, width, self)


class SeparatedPrismFusion(GatedFusion):
    """Unique parts and redundancy are linear maps of different directions; synergy is made of products only.

    Before training, the directions that all modalities share are found once in the vectors of the catalogue
    (`find_shared`); they do not change afterwards. What they predict of a modality's vector is taken from it, and the
    rest is the modality's own.

    - A unique part is a linear map of one modality's own rest. It does not change if the other modality does.
    - Redundancy is a linear map of the shared numbers, averaged over the modalities that an item has.
    - Synergy is a linear map of products of one modality's own rest with another's. If either of the two belonged to
      another item drawn at random, its mean would be zero. An item with one modality has none.

    So no loss is needed to keep them apart. Only linear relations are seen as shared.

    Raises:
        SettingsError: a modality is words, whose vectors are trained, so that nothing can be found before training.
    """

    fitted: Tensor

    def __init__(
        self, modalities: Mapping[str, int | None], width: int, config: SeparatedPrismConfig
    ) -> None:
        super().__init__(modalities, width)
        sizes = [_require_size(name, size) for name, size in modalities.items()]
        roles = component_roles(tuple(modalities))
        self.component_names, self.config, self.personal = tuple(roles), config, config.adaptive
        self.uniques = nn.ModuleList(nn.Linear(size, width, bias=False) for size in sizes)
        self.redundancy = nn.Linear(width, width, bias=False)
        self.factors = nn.ModuleList(nn.Linear(size, config.products, bias=False) for size in sizes)
        self.synergy = nn.Linear(config.products, width, bias=False)
        self.gate = (
            Gate(len(roles), width, config.temperature, config.gate_dropout, config.sees)
            if config.adaptive
            else None
        )
        for m, size in enumerate(sizes):  # until the catalogue is seen, nothing is taken from a vector
            self.register_buffer(f"mean_{m}", torch.zeros(size))
            self.register_buffer(f"map_{m}", torch.randn(size, width) * size**-0.5)
            self.register_buffer(f"load_{m}", torch.zeros(width, size))
        self.register_buffer("fitted", torch.tensor(False))

    @torch.no_grad()
    def begin_training(self, features: Features) -> str | None:
        """Find the shared directions, unless they came with the weights of an earlier run."""
        if self.fitted:
            return None
        found = find_shared(features.vectors, features.present_IM, self.width, self.config.shared)
        for m, (mean_X, map_XK, load_KX) in enumerate(zip(*found, strict=True)):
            count = len(load_KX)
            self.get_buffer(f"mean_{m}").copy_(mean_X)
            self.get_buffer(f"map_{m}").zero_()[:, :count] = map_XK
            self.get_buffer(f"load_{m}").zero_()[:count] = load_KX
        self.fitted.fill_(True)
        if len(self.modalities) == 1:
            return None
        return f"{' and '.join(self.modalities)} share {len(found.loads[0])} directions"

    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return each item's components."""
        shared, uniques, factors = [], [], []
        for m, vectors_IX in enumerate(features.vectors):
            present_I1 = features.present_IM[:, [m]]
            centred_IX = (vectors_IX - self.get_buffer(f"mean_{m}")) * present_I1
            shared.append(centred_IX @ self.get_buffer(f"map_{m}"))
            own_IX = centred_IX - shared[m] @ self.get_buffer(f"load_{m}")
            uniques.append(self.uniques[m](own_IX))
            factors.append(self.factors[m](own_IX))
        counts_I1 = features.present_IM.sum(1, keepdim=True)
        shared_ID = torch.stack(shared).sum(0) / (counts_I1.clamp_min(1) * self.width**0.5)
        factors_MIX = torch.stack(factors)
        pairs_IX = (
            factors_MIX.sum(0).square() - factors_MIX.square().sum(0)
        ) / 2  # the sum of all products of two
        components_IJD = torch.stack([*uniques, self.redundancy(shared_ID), self.synergy(pairs_IX)], 1)
        present_IJ = torch.cat([features.present_IM, counts_I1 > 0, counts_I1 > 1], 1)
        return Parts(components_IJD * present_IJ[..., None], present_IJ, torch.stack(uniques, 1))


def _require_size(name: str, size: int | None) -> int:
    if size is None:
        raise SettingsError(
            f"prism_separated needs vectors, and {name} is words; leave {name} out of `model.modalities`, or use prism",
            key="fusion",
        )
    return size
