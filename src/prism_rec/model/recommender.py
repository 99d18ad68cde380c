"""The model: items, fusion and backbone by composition.

    score(user, item) = id_query(h) . id_key(item) + sum_j w_j(user) * content_query(h) . e_j(item)

h is the state after the user's last item and w the gate's weights there. Each term is one component's contribution,
so the score explains itself; an item without history still has its content terms; and the sum is one inner product,
so that ranking is a matrix product.
"""

from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from prism_rec.backbones.base import Backbone
from prism_rec.fusion.base import Fusion, History, Parts, Seen
from prism_rec.model.items import ItemTable
from prism_rec.model.similar import SimilarItems
from prism_rec.model.tuples import ItemSet, KeyGroup, UserStates
from prism_rec.nn.distinct import distinct_rows
from prism_rec.nn.gather import gather_rows
from prism_rec.nn.packing import Packing
from prism_rec.nn.scattered import Scattered

Candidates = Literal["id", "content"]


class SequenceRecommender(nn.Module):
    """Histories in, scores of candidates out.

    Args:
        items: the catalogue.
        fusion: makes components of the items' features.
        backbone: encodes histories.
        candidates: `id` scores an item by its id alone, `content` by id and components.
        similar: adds to the scores of items that resemble the latest of a history.
    """

    def __init__(
        self,
        items: ItemTable,
        fusion: Fusion,
        backbone: Backbone,
        candidates: Candidates = "content",
        similar: SimilarItems | None = None,
    ) -> None:
        super().__init__()
        self.similar = similar
        self.items = items
        self.fusion = fusion
        self.backbone = backbone
        self.further_streams = (
            nn.Linear(items.width, (backbone.streams - 1) * items.width, bias=False)
            if backbone.streams > 1 and fusion.modalities
            else None
        )
        self.content = candidates == "content" and fusion.scores_content and bool(fusion.component_names)
        self._one_vector = backbone.dot_product and not fusion.personal
        self.apply(backbone.initialise)
        with torch.no_grad():
            items.ids.weight[0] = 0

    @property
    def device(self) -> torch.device:
        """Where the model lives."""
        return self.items.ids.weight.device

    @property
    def component_names(self) -> tuple[str, ...]:
        """What a score is the sum of: `id`, then the fusion's components if candidates are scored by them."""
        content = self.fusion.component_names if self.content else ()
        return ("id", *content, *(("similar",) if self.similar is not None else ()))

    def item_set(
        self, histories: Int[Tensor, "..."] | None = None, candidates: Int[Tensor, "..."] | None = None
    ) -> ItemSet:
        """Gather the distinct items of some histories and candidates with their components.

        Padding is always among them, in the first place.

        Args:
            histories: catalogue rows, padding allowed; None: any item may stand in a history.
            candidates: catalogue rows; None: every item.
        """
        every = torch.arange(self.items.number_of_items + 1, device=self.device)
        rows_I = place_N = every
        if histories is not None and candidates is not None:
            occurs = torch.zeros_like(every, dtype=torch.bool)
            occurs[0] = True
            occurs[histories.flatten()] = True
            occurs[candidates.flatten()] = True
            rows_I, place_N = occurs.nonzero().squeeze(1), occurs.cumsum(0) - 1
        features, ids_IV = self.items.features(rows_I), self.items.id_vectors(rows_I, self.content)
        ids_ID = ids_IV[:, : self.items.width]
        parts = self.fusion.parts(features, ids_ID)
        stands_I = torch.zeros_like(rows_I, dtype=torch.bool)
        stands_I[slice(None) if histories is None else place_N[histories.flatten()]] = True
        stands_I[0] = False
        seen_S = stands_I.nonzero().squeeze(1)
        if len(seen_S) == len(rows_I) - 1:  # all but padding: no copy
            seen = Seen(seen_S, Parts(*(part[1:] for part in parts)))
            evidence_IE = self.fusion.evidence(parts, ids_ID)
        else:
            seen = Seen(seen_S, parts.take(seen_S))
            evidence_SE = self.fusion.evidence(seen.parts, gather_rows(ids_ID, seen_S))
            evidence_IE = evidence_SE.new_zeros(len(rows_I), evidence_SE.shape[1])
            evidence_IE = evidence_IE.index_copy(0, seen_S, evidence_SE)
        return ItemSet(rows_I, place_N, features, ids_IV, parts, seen, evidence_IE)

    def history(
        self, histories_BL: Int[Tensor, "B L"], lengths_B: Int[Tensor, " B"], items: ItemSet
    ) -> History:
        """Put histories in terms of an item set that holds them.

        Args:
            histories_BL: catalogue rows, padded with 0 on the right.
            lengths_B: at least 1.
            items: the set.
        """
        places_L = torch.arange(histories_BL.shape[1], device=self.device)
        rows_P = histories_BL[places_L < lengths_B[:, None]]
        return History(
            items.features,
            items.ids_IV,
            items.parts,
            items.seen,
            items.evidence_IE,
            items.place_N[rows_P],
            Packing(lengths_B),
            rows_P,
        )

    def encode(self, history: History) -> UserStates:
        """Return state and weights after each of the P places, history by history: [P, S] and [P, J]."""
        inputs_PV, weights_PJ = self._inputs(history)
        states_PS = history.packing.each_place(self.backbone, inputs_PV)
        return UserStates(states_PS, weights_PJ, self._recent(history))

    def encode_last(self, history: History) -> UserStates:
        """Return state and weights after each history's last item, [B, S] and [B, J]."""
        inputs_PV, weights_PJ = self._inputs(history)
        states_BS = history.packing.each_row(self.backbone.last, inputs_PV)
        ends_B = history.packing.lengths_B.cumsum(0) - 1
        return UserStates(states_BS, history.packing.last(weights_PJ), self._recent(history)[ends_B])

    def _recent(self, history: History) -> Int[Tensor, "P L"]:
        return history.recent(0 if self.similar is None else len(self.similar.weights_LM))

    def scattered(self, users: UserStates) -> Scattered | None:
        """Return what is added to the inner products of queries and keys, by catalogue row; None: nothing."""
        return None if self.similar is None else self.similar(users.recent)

    def interaction_loss(self, history: History) -> Float[Tensor, ""]:
        """Return the fusion's own losses on histories, weighted (PRISM, equation 9)."""
        return self.fusion.interaction_loss(history, partial(self._encode_ways, history))

    def _encode_ways(
        self, history: History, added_IXD: Float[Tensor, "I X D"], index_P: Int[Tensor, " P"]
    ) -> Float[Tensor, "X B D"]:
        """Encode histories in X ways; see `fusion.base.Encode`."""
        added_PXV = self._in_all_streams(gather_rows(added_IXD, index_P))
        inputs_PXV = gather_rows(history.ids_IV, history.index_P)[:, None] + added_PXV
        states_BXS = history.packing.each_row(self._last_of_ways, inputs_PXV)
        return states_BXS[..., : self.items.width].transpose(0, 1)

    def _last_of_ways(
        self, inputs_BLXV: Float[Tensor, "B L X V"], lengths_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B X S"]:
        ways = inputs_BLXV.shape[2]
        side_by_side = inputs_BLXV.transpose(1, 2).flatten(0, 1)
        return self.backbone.last(side_by_side, lengths_B.repeat_interleave(ways)).unflatten(0, (-1, ways))

    def _inputs(self, history: History) -> tuple[Float[Tensor, "P V"], Float[Tensor, "P J"]]:
        """Return what the backbone sees, id + fused, and the weights of the components in it."""
        fused = self.fusion(history)
        inputs_PV = gather_rows(history.ids_IV, history.index_P) + self._in_all_streams(fused.vectors_PD)
        return inputs_PV, fused.weights_PJ

    def _in_all_streams(self, fused: Float[Tensor, "*P D"]) -> Float[Tensor, "*P V"]:
        """Return what a fusion adds to the ids: as it is to the first stream, through a map to the others."""
        if self.further_streams is not None:
            return torch.cat([fused, self.further_streams(fused)], -1)
        return F.pad(fused, (0, (self.backbone.streams - 1) * self.items.width))

    def keys(self, items: ItemSet, rows: Int[Tensor, " I"] | None = None) -> list[KeyGroup]:
        """Return the items' side of the inner product, grouped by the components that the items have.

        Args:
            items: an item set.
            rows: catalogue rows among it, repetitions allowed; None: all of it but padding.
        """
        ids_IV, parts = items.ids_IV[1:], Parts(*(part[1:] for part in items.parts))
        if rows is None:
            rows = items.rows_I[1:]
        else:
            place = items.place_N[rows]
            ids_IV = gather_rows(items.ids_IV, place)
            parts = items.parts.take(place)
        keys_IQ = self.backbone.id_key(ids_IV)
        if not self.content:
            return [KeyGroup(rows, keys_IQ, parts.present_IJ.new_zeros(0))]
        if not self.fusion.personal:
            content_ID = parts.components_IJD.sum(1)
            keys_IK = keys_IQ + content_ID if self._one_vector else torch.cat([keys_IQ, content_ID], 1)
            return [KeyGroup(rows, keys_IK, parts.present_IJ.new_ones(1))]
        keys_IK = torch.cat([keys_IQ, parts.components_IJD.flatten(1)], 1)
        patterns, pattern_I = distinct_rows(parts.present_IJ)
        if len(patterns) == 1:
            return [KeyGroup(rows, keys_IK, patterns[0])]
        places = [(pattern_I == p).nonzero().squeeze(1) for p in range(len(patterns))]
        return [
            KeyGroup(rows[place], gather_rows(keys_IK, place), patterns[p]) for p, place in enumerate(places)
        ]

    def queries(self, users: UserStates, group: KeyGroup) -> Float[Tensor, "P K"]:
        """Return the users' side of the inner product with the keys of one group."""
        states, weights, _ = users
        query = self.backbone.id_query(states)
        if not self.content or self._one_vector:
            return query
        content_P1D = self.backbone.content_query(states)[:, None]
        if self.fusion.personal:
            content_P1D = self.fusion.weigh(weights, group.present_J)[..., None] * content_P1D
        return torch.cat([query, content_P1D.flatten(1)], 1)

    def vectors(self, users: UserStates, rows_P: Int[Tensor, " P"], items: ItemSet) -> Float[Tensor, "P V"]:
        """Return an item for each of P users: its id and, if candidates are scored by them, its weighted components."""
        place_P = items.place_N[rows_P]
        ids_PV = gather_rows(items.ids_IV, place_P)
        if not self.content:
            return ids_PV
        weights_PJ = torch.ones_like(users.weights)
        if self.fusion.personal:
            weights_PJ = self.fusion.weigh(users.weights, items.parts.present_IJ[place_P])
        components_PJD = gather_rows(items.parts.components_IJD, place_P)
        return ids_PV + self._in_all_streams(_inner(components_PJD.mT, weights_PJ))

    def score(self, users: UserStates, rows_PC: Int[Tensor, "P C"], items: ItemSet) -> Float[Tensor, "P C"]:
        """Score C candidates of its own for each of P users; the item set must hold them."""
        return self.contributions(users, rows_PC, items).sum(-1)

    def contributions(
        self, users: UserStates, rows_PC: Int[Tensor, "P C"], items: ItemSet
    ) -> Float[Tensor, "P C J"]:
        """Return what `id` and each component adds to the score of each candidate; they sum to the score."""
        states, weights, _ = users
        place_PC = items.place_N[rows_PC]
        id_PC = _inner(
            self.backbone.id_key(gather_rows(items.ids_IV, place_PC)), self.backbone.id_query(states)
        )
        similar = [] if self.similar is None else [self.similar.of(users.recent, rows_PC)[..., None]]
        if not self.content:
            return torch.cat([id_PC[..., None], *similar], -1)
        components_PCJD = gather_rows(items.parts.components_IJD, place_PC)
        content_PCJ = _inner(components_PCJD.flatten(1, 2), self.backbone.content_query(states))
        content_PCJ = content_PCJ.unflatten(1, components_PCJD.shape[1:3])
        if self.fusion.personal:
            content_PCJ = content_PCJ * self.fusion.weigh(weights[:, None], items.parts.present_IJ[place_PC])
        return torch.cat([id_PC[..., None], content_PCJ, *similar], -1)


def _inner(left_PXD: Float[Tensor, "P X D"], right_PD: Float[Tensor, "P D"]) -> Float[Tensor, "P X"]:
    return (left_PXD @ right_PD[..., None]).squeeze(-1)
