"""The values that a fusion works on: features of items, their components, and the histories that hold the items."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from prism_rec.nn.packing import Packing
from prism_rec.nn.processes import counted_here
from prism_rec.nn.rows import gather_rows
from prism_rec.nn.sparse import SparseRows


class ModalityShape(NamedTuple):
    """The input of a fusion from one modality: fixed vectors, or sums of trained vectors, one per word."""

    size: int
    """d_m, the width of the vectors; or the number U of words."""
    words: bool = False
    """Whether the modality is words: its vectors are trained, and have width D already."""


class Words(NamedTuple):
    """The words of I items, and the vectors of words, whose sums are the vectors of the items."""

    rows: SparseRows  # [I, U], the weights of the words
    vectors_UD: Float[Tensor, "U D"]


class Features(NamedTuple):
    """The pictures and texts of I items, as vectors; a row is zero if the item lacks the modality."""

    vectors: tuple[Tensor, ...]  # M tensors [I, d_m]
    present_IM: Bool[Tensor, "I M"]
    words: tuple[Words | None, ...]  # of the M modalities; None if one is not words


class Parts(NamedTuple):
    """The components of I items, the same for all users."""

    components_IJD: Float[Tensor, "I J D"]  # zero if absent
    present_IJ: Bool[Tensor, "I J"]
    projected_IMD: Float[Tensor, "I M D"]  # in the common space; a stand-in if the item lacks the modality

    def take(self, places: Int[Tensor, " _"]) -> "Parts":
        """Return the parts of some of the items."""
        return Parts(
            gather_rows(self.components_IJD, places),
            self.present_IJ[places],
            gather_rows(self.projected_IMD, places),
        )


class Seen(NamedTuple):
    """The S of I items that histories hold, without padding. Losses and gates look at these only."""

    items_S: Int[Tensor, " S"]  # their positions among the I
    parts: Parts  # of these items, taken once


class Evidence(NamedTuple):
    """The gate's input from the items that histories hold."""

    rows_RE: Float[Tensor, "R E"]  # of the seen items; or of the whole set, if that needs no copy
    row_I: Int[Tensor, " I"]  # the row of each item of the set; meaningless for items not seen


class ItemSet(NamedTuple):
    """Some distinct items with everything that depends on the item only; made once per step.

    For instance, histories with the items 5 and 2 and a candidate 9, in a catalogue of N = 9 items:

        rows_I        [0, 2, 5, 9]                        padding always comes first
        place_N       [0, 0, 1, 0, 0, 2, 0, 0, 0, 3]      row 5 is at place 2; rows not in the set mean nothing
        seen.items_S  [1, 2]                              the places of items 2 and 5
    """

    rows_I: Int[Tensor, " I"]  # catalogue rows, rising
    place_N: Int[Tensor, " N"]  # catalogue row -> place among the I
    features: Features
    ids_IV: Float[Tensor, "I V"]  # one vector of D per stream of the backbone, side by side
    parts: Parts
    seen: Seen
    evidence: Evidence

    @property
    def ids_ID(self) -> Float[Tensor, "I D"]:  # noqa: N802 (axis letters)
        """The part of the ids that a fusion sees: the vectors of the first stream."""
        return self.ids_IV[:, : self.parts.projected_IMD.shape[-1]]

    def counted_here(self) -> Bool[Tensor, " S"]:
        """Return which of the seen items count in means over the items of a batch that several processes share."""
        return counted_here(self.rows_I[self.seen.items_S], len(self.place_N))


class Reading(NamedTuple):
    """A batch of B histories as a model reads it: items of a set, one after another without padding, P places in all.

    Attributes:
        items: a set that holds the items of the histories.
        index_P: for each place, the position of its item among the I of the set.
        packing: where each history begins and ends.
        next_P: in training, the catalogue row of the item that comes next at each place; None if nothing may know it.
    """

    items: ItemSet
    index_P: Int[Tensor, " P"]
    packing: Packing
    next_P: Int[Tensor, " P"] | None = None

    def first(self, count: int) -> "Reading":
        """Return the first histories."""
        lengths_B = self.packing.lengths_B[:count]
        index_P = self.index_P[: int(lengths_B.sum())]
        items_S = index_P.unique()
        seen = Seen(items_S, self.items.parts.take(items_S))
        return Reading(self.items._replace(seen=seen), index_P, Packing(lengths_B))

    def evidence(self) -> Float[Tensor, "P E"]:
        """Return the gate's input from the item at each place."""
        rows_RE, row_I = self.items.evidence
        return gather_rows(rows_RE, row_I[self.index_P])

    def recent(self, lags: int) -> Int[Tensor, "P L"]:
        """Return the catalogue rows of the latest items at each place, the latest first; 0 before its history."""
        return self._lagged(self.items.rows_I[self.index_P], lags)

    def followers(self, lags: int, window: int) -> Int[Tensor, "P L W"]:
        """Return the catalogue rows of the items that follow each of `recent` in its history; W is 0 if unknown.

        For instance, in the training history [5, 3, 7, 2] with W = 2, items 3 and 7 follow item 5, whatever the place.
        """
        if self.next_P is None:
            return self.index_P.new_zeros(len(self.index_P), lags, 0)
        place_P = torch.arange(len(self.next_P), device=self.next_P.device)
        place_PW = place_P[:, None] + torch.arange(window, device=place_P.device)
        owners_P = self.packing.owners()
        ends_P = (self.packing.starts_B + self.packing.lengths_B)[owners_P]
        next_PW = self.next_P[place_PW.clamp_max(len(place_P) - 1)]
        return self._lagged(torch.where(place_PW < ends_P[:, None], next_PW, 0), lags)

    def _lagged(self, rows_P: Int[Tensor, "P *_"], lags: int) -> Int[Tensor, "P L *_"]:
        """Return what is at the latest places, the latest first; 0 before the history begins."""
        place_P = torch.arange(len(rows_P), device=rows_P.device)
        place_PL = place_P[:, None] - torch.arange(lags, device=rows_P.device)
        begin_P = self.packing.starts_B[self.packing.owners()]
        inside_PL = (place_PL >= begin_P[:, None]).reshape(*place_PL.shape, *[1] * (rows_P.dim() - 1))
        return torch.where(inside_PL, rows_P[place_PL.clamp_min(0)], 0)

    def mean(self, rows_ID: Float[Tensor, "I D"]) -> Float[Tensor, "B D"]:
        """Return the mean of the items' rows over each history."""
        return self.packing.means(rows_ID, self.index_P)
