"""The contract of a fusion: modality vectors -> named components of an item, and their weights for a user."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from prism_rec.config import Config
from prism_rec.fusion.reading import Features, ModalityShape, Parts, Reading
from prism_rec.nn.rows import gather_rows


class Fused(NamedTuple):
    """The vectors that a fusion adds to the ids at each place of the histories, and the weights that it used."""

    vectors_PD: Float[Tensor, "P D"]
    weights_PJ: Float[Tensor, "P J"]


# A function of the model that encodes the histories of a batch in X ways. Given the vectors that each way adds to the
# ids of I items, and which of the I is at each place, it returns the user's state after each history's last item (of
# a backbone with several streams, the first stream of it).
Encode = Callable[[Float[Tensor, "I X D"], Int[Tensor, " P"]], Float[Tensor, "X B D"]]


class Fusion(nn.Module, ABC):
    """Makes components of an item's pictures and texts and weighs them for each user.

    Args:
        modalities: name -> what the fusion gets of it, in a fixed order.
        width: D, the common width of ids and components.

    Attributes:
        component_names: the J components apart from `id`.
        causal: whether the vector added at position t depends on items 1..t only.
        scores_content: whether components belong to one item each, so that candidates can be scored by them.
        personal: whether the weights differ between users. If so, they are shares: they sum to one over the components
            that an item has. Otherwise every weight is one.
    """

    component_names: tuple[str, ...] = ()
    causal = True
    scores_content = True
    personal = False

    def __init__(self, modalities: Mapping[str, ModalityShape], width: int) -> None:
        super().__init__()
        self.modalities = dict(modalities)
        self.width = width

    def begin_training(self, features: Features) -> str | None:
        """Learn what does not change in training from the pictures and texts of the whole catalogue.

        It is called once before the first step. Whatever it learns is in buffers that are saved.

        Returns:
            What was learned, in one line; None if there is nothing to say.
        """
        return None

    @abstractmethod
    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return everything that depends on the item only; computed once per distinct item."""

    def evidence(self, parts: Parts, ids_ID: Float[Tensor, "I D"]) -> Float[Tensor, "I E"]:
        """Return the gate's input from each item; E is 0 if there is no gate."""
        return ids_ID[:, :0]

    @abstractmethod
    def forward(self, reading: Reading) -> Fused:
        """Return the vectors added to the ids at each place; if `causal`, the t-th place depends on items 1..t only."""

    def interaction_loss(self, reading: Reading, encode: Encode) -> Float[Tensor, ""]:
        """Return the weighted sum of the losses that shape the components; zero if the fusion has none.

        Args:
            reading: the histories that the recommendation loss was computed on.
            encode: encodes these histories with other vectors added to their ids than `forward` returned.
        """
        return reading.items.ids_ID.new_zeros(())


class FusionSettings(Config, ABC):
    """The base of every fusion's settings.

    Attributes:
        uses_features: whether the fusion reads pictures and texts. If not, a model has none, whatever the data has.
    """

    uses_features: ClassVar[bool] = True

    @abstractmethod
    def build(self, modalities: Mapping[str, ModalityShape], width: int) -> Fusion:
        """Make the fusion with fresh weights.

        Args:
            modalities: name -> what the fusion gets of it, in the order of the model. Empty unless `uses_features`.
            width: D.

        Raises:
            SettingsError: settings that do not fit the modalities.
        """


class Projections(nn.Module):
    """One linear map to D per modality; vectors that are trained already have no map.

    Args:
        modalities: name -> what is known of its vectors.
        width: D.
        learned_absent: whether a learned vector replaces a modality that an item lacks; otherwise zeros replace it.
    """

    absent_MD: Tensor

    def __init__(self, modalities: Mapping[str, ModalityShape], width: int, learned_absent: bool) -> None:
        super().__init__()
        self.maps = nn.ModuleList(
            nn.Identity() if shape.words else nn.Linear(shape.size, width) for shape in modalities.values()
        )
        if learned_absent:
            self.absent_MD = nn.Parameter(torch.randn(len(modalities), width) * width**-0.5)
        else:
            self.register_buffer("absent_MD", torch.zeros(len(modalities), width), persistent=False)

    def forward(self, features: Features) -> Float[Tensor, "I M D"]:
        """Map the vectors of I items."""
        projected = [project(vectors) for project, vectors in zip(self.maps, features.vectors, strict=True)]
        return torch.where(features.present_IM[..., None], torch.stack(projected, 1), self.absent_MD)


def share_weights(weights: Float[Tensor, "*#P J"], present: Bool[Tensor, "*#P J"]) -> Float[Tensor, "... J"]:
    """Return the weights renormalised over the components that are present; all zero if none is."""
    kept = weights * present
    return kept / kept.sum(-1, keepdim=True).clamp_min(torch.finfo(kept.dtype).tiny)


def weigh_components(reading: Reading, weights_PJ: Float[Tensor, "P J"]) -> Fused:
    """Sum the components of each place's item with the given weights, shared over those that the item has."""
    parts = reading.items.parts
    shared_PJ = share_weights(weights_PJ, parts.present_IJ[reading.index_P])
    components_PJD = gather_rows(parts.components_IJD, reading.index_P)
    return Fused((shared_PJ[:, None] @ components_PJD).squeeze(1), weights_PJ)


def add_components(reading: Reading) -> Fused:
    """Sum the components of each place's item; every weight is one."""
    components_IJD = reading.items.parts.components_IJD
    # A request reads a few items of a large catalogue; an exported model answers requests only.
    if torch.compiler.is_compiling() or len(reading.index_P) < len(components_IJD):
        vectors_PD = gather_rows(components_IJD, reading.index_P).sum(1)
    else:
        vectors_PD = gather_rows(components_IJD.sum(1), reading.index_P)
    return Fused(vectors_PD, components_IJD.new_ones(len(vectors_PD), components_IJD.shape[1]))


def no_components(projected_IMD: Float[Tensor, "I M D"]) -> Parts:
    """Return the parts of items that have only an id and no component."""
    items, _, width = projected_IMD.shape
    return Parts(
        components_IJD=projected_IMD.new_zeros(items, 0, width),
        present_IJ=torch.zeros(items, 0, dtype=torch.bool, device=projected_IMD.device),
        projected_IMD=projected_IMD,
    )
