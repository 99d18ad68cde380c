"""What a fusion must do: modality vectors -> named components of an item, and their weights for a user."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from prism_rec.nn.gather import gather_rows
from prism_rec.nn.packing import Packing


class Features(NamedTuple):
    """The pictures and texts of I items, as vectors; a row is zero where the item lacks the modality."""

    vectors: tuple[Tensor, ...]  # M tensors [I, d_m]
    present_IM: Bool[Tensor, "I M"]


class Parts(NamedTuple):
    """What a fusion makes of I items, whoever looks at them."""

    components_IJD: Float[Tensor, "I J D"]  # zero where absent
    present_IJ: Bool[Tensor, "I J"]
    projected_IMD: Float[Tensor, "I M D"]  # in the common space; where lacking, what stands for it

    def take(self, places: Int[Tensor, " _"]) -> "Parts":
        """Return the parts of some of the items."""
        return Parts(
            gather_rows(self.components_IJD, places),
            self.present_IJ[places],
            gather_rows(self.projected_IMD, places),
        )


class Seen(NamedTuple):
    """Those of I items that stand in a history, padding left out; what is asked of them alone is asked here."""

    items_S: Int[Tensor, " S"]  # their positions among the I
    parts: Parts  # theirs, taken once


class History(NamedTuple):
    """A batch of histories over I distinct items, one after another without padding: P places in all."""

    features: Features
    ids_IV: Float[Tensor, "I V"]  # one vector of D for each stream of the backbone, side by side
    parts: Parts
    seen: Seen
    evidence_IE: Float[Tensor, "I E"]  # what a gate sees of each item; zero where it stands in no history
    index_P: Int[Tensor, " P"]  # position of each place's item among the I
    packing: Packing  # where each history begins and ends
    rows_P: Int[Tensor, " P"]  # catalogue row of each place's item

    @property
    def ids_ID(self) -> Float[Tensor, "I D"]:  # noqa: N802 (axis letters)
        """What a fusion sees of the ids: the vectors of the first stream."""
        return self.ids_IV[:, : self.parts.projected_IMD.shape[-1]]

    def first(self, count: int) -> "History":
        """Return the first histories alone."""
        lengths_B = self.packing.lengths_B[:count]
        index_P = self.index_P[: int(lengths_B.sum())]
        items_S = index_P.unique()
        seen = Seen(items_S, self.parts.take(items_S))
        rows_P = self.rows_P[: len(index_P)]
        return self._replace(seen=seen, index_P=index_P, packing=Packing(lengths_B), rows_P=rows_P)

    def recent(self, lags: int) -> Int[Tensor, "P L"]:
        """Return the catalogue rows of the latest items at each place, the latest first; 0 before it begins."""
        place_P = torch.arange(len(self.rows_P), device=self.rows_P.device)
        begin_P = self.packing.starts_B.repeat_interleave(self.packing.lengths_B)
        place_PL = place_P[:, None] - torch.arange(lags, device=place_P.device)
        return torch.where(place_PL >= begin_P[:, None], self.rows_P[place_PL.clamp_min(0)], 0)

    def mean(self, rows_ID: Float[Tensor, "I D"]) -> Float[Tensor, "B D"]:
        """Return the mean of the items' rows over each history."""
        return F.embedding_bag(self.index_P, rows_ID, self.packing.starts_B, mode="mean")


class Fused(NamedTuple):
    """What a fusion adds to the ids at each place of the histories, and the weights with which it did so."""

    vectors_PD: Float[Tensor, "P D"]
    weights_PJ: Float[Tensor, "P J"]


# How the model encodes the histories of a batch in X ways: given what is added to the ids in each way, for I items, and
# which of the I stands at each place, it returns the user's state after each history's last item; of several streams
# the first.
Encode = Callable[[Float[Tensor, "I X D"], Int[Tensor, " P"]], Float[Tensor, "X B D"]]


class Fusion(nn.Module, ABC):
    """Makes components of an item's pictures and texts and weighs them for each user.

    Args:
        modalities: name -> width of its vectors, in a fixed order; None: they are trained and of D already.
        width: D, the common width of ids and components.

    Attributes:
        component_names: the J components beside `id`.
        causal: whether what is added at position t is found from items 1..t alone.
        scores_content: whether the components are an item's own, so that candidates can be scored by them.
        personal: whether the weights differ between users. They then are shares: they sum to one over the
            components that an item has. Otherwise every weight is one.
    """

    component_names: tuple[str, ...] = ()
    causal = True
    scores_content = True
    personal = False

    def __init__(self, modalities: Mapping[str, int | None], width: int) -> None:
        super().__init__()
        self.modalities = dict(modalities)
        self.width = width

    @abstractmethod
    def parts(self, features: Features, ids_ID: Float[Tensor, "I D"]) -> Parts:
        """Return what depends on the item alone; computed once per distinct item."""

    def evidence(self, parts: Parts, ids_ID: Float[Tensor, "I D"]) -> Float[Tensor, "I E"]:
        """Return what the gate sees of each item; E is 0 where there is no gate."""
        return ids_ID[:, :0]

    def weigh(
        self, weights: Float[Tensor, "*#P J"], present: Bool[Tensor, "*#P J"]
    ) -> Float[Tensor, "... J"]:
        """Return the weights of a candidate's components for a user, if they differ between users."""
        return share_weights(weights, present)

    @abstractmethod
    def forward(self, history: History) -> Fused:
        """Return what is added to the ids at each place; if `causal`, the t-th of a history sees items 1..t alone."""

    def interaction_loss(self, history: History, encode: Encode) -> Float[Tensor, ""]:
        """Return the weighted sum of the losses that shape the components; zero where there are none.

        Args:
            history: what the recommendation loss was taken on.
            encode: encodes these histories with other vectors added to their ids than `forward` returned.
        """
        return history.ids_ID.new_zeros(())


class Projections(nn.Module):
    """Each modality's own linear map to D.

    Args:
        modalities: name -> width of its vectors; None: they are of D already, as those of a bag of words.
        width: D.
        learned_absent: whether a learned vector stands for a modality that an item lacks; else zero does.
    """

    absent_MD: Tensor

    def __init__(self, modalities: Mapping[str, int | None], width: int, learned_absent: bool) -> None:
        super().__init__()
        self.maps = nn.ModuleList(
            nn.Identity() if size is None else nn.Linear(size, width) for size in modalities.values()
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
    """Return the weights renormalised over the components that are present; all zero where none is."""
    kept = weights * present
    return kept / kept.sum(-1, keepdim=True).clamp_min(torch.finfo(kept.dtype).tiny)


def weigh_components(history: History, weights_PJ: Float[Tensor, "P J"]) -> Fused:
    """Sum the components of each place's item with the weights given, shared over those that it has."""
    shared_PJ = share_weights(weights_PJ, history.parts.present_IJ[history.index_P])
    components_PJD = gather_rows(history.parts.components_IJD, history.index_P)
    return Fused((shared_PJ[:, None] @ components_PJD).squeeze(1), weights_PJ)


def add_components(history: History) -> Fused:
    """Sum the components of each place's item, every weight one."""
    components_IJD = history.parts.components_IJD
    vectors_PD = gather_rows(components_IJD.sum(1), history.index_P)
    return Fused(vectors_PD, components_IJD.new_ones(len(vectors_PD), components_IJD.shape[1]))


def empty_parts(projected_IMD: Float[Tensor, "I M D"]) -> Parts:
    """Return the parts of items that have no component beside their id."""
    items, _, width = projected_IMD.shape
    return Parts(
        components_IJD=projected_IMD.new_zeros(items, 0, width),
        present_IJ=torch.zeros(items, 0, dtype=torch.bool, device=projected_IMD.device),
        projected_IMD=projected_IMD,
    )
