"""The model: items, fusion and backbone by composition.

    score(user, item) = id_query(h) . id_key(item) + sum_j w_j(user) * content_query(h) . e_j(item)

h is the state after the user's last item, and w are the fusion's weights there. Each term is one component's
contribution, so the score explains itself. An item without history still has its content terms. The sum is one inner
product, so ranking is a matrix product. Terms of neighbours of the latest items may be added to it: items that resemble
them (`model/similar.py`), and items that others took after them (`model/rules.py`).

Inner products may be divided by a temperature, and may be cosines: then h, and the item's id with its components, are
scaled to length 1. Each term is divided by the same two lengths, so that terms still sum to the score.
"""

from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from prism_rec.backbones.base import Backbone
from prism_rec.data.histories import Histories
from prism_rec.errors import SettingsError
from prism_rec.fusion.base import Fusion, share_weights
from prism_rec.fusion.reading import Evidence, ItemSet, Parts, Reading, Seen
from prism_rec.model.items import ItemTable
from prism_rec.model.keys import KeyGroup, UserStates, group_by_presence, inner, plus_components
from prism_rec.model.rules import SequentialRules
from prism_rec.model.similar import SimilarItems
from prism_rec.nn.packing import Packing
from prism_rec.nn.rows import gather_rows
from prism_rec.nn.sparse import Scattered

Candidates = Literal["id", "content"]
Scores = Literal["product", "cosine"]


class SequenceRecommender(nn.Module):
    """Histories in, scores of candidates out.

    Histories are flat: the items of all histories of a batch one after another, P places in all, and B lengths. Padding
    exists only inside the blocks that the backbone reads (`nn/packing.py`). For instance, histories [5, 3, 7] and [2]:

        items_P    [5, 3, 7, 2]
        lengths_B  [3, 1]
        states     one row after each of the P places (`encode`), or one per history (`encode_last`)

    Args:
        items: the catalogue.
        fusion: makes components of the items' features.
        backbone: encodes histories.
        max_length: number of latest items of a history that the model reads. Batches are made with this limit.
        candidates: `id` scores an item by its id only, `content` by id and components.
        similar, rules: further terms of the score, if there are any; they are neither scaled nor divided.
        scores: inner products, or cosines; for these, one query must meet an item whose weights are not personal.
        temperature: divides the inner products.
    """

    def __init__(
        self,
        items: ItemTable,
        fusion: Fusion,
        backbone: Backbone,
        max_length: int,
        candidates: Candidates = "content",
        similar: SimilarItems | None = None,
        rules: SequentialRules | None = None,
        scores: Scores = "product",
        temperature: float = 1.0,
    ) -> None:
        super().__init__()
        self.items = items
        self.fusion = fusion
        self.backbone = backbone
        self.max_length = max_length
        self.further_streams = (
            nn.Linear(items.width, (backbone.streams - 1) * items.width, bias=False)
            if backbone.streams > 1 and fusion.modalities
            else None
        )
        self.content = candidates == "content" and fusion.scores_content and bool(fusion.component_names)
        self.summed = self.content and not fusion.personal and backbone.one_query
        self.similar = similar
        self.rules = rules
        self.cosine = scores == "cosine"
        self.temperature = temperature
        self.apply(backbone.initialise)
        with torch.no_grad():
            items.ids.weight[0] = 0

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self.items.ids.weight.device

    @property
    def component_names(self) -> tuple[str, ...]:
        """The terms of a score: `id`, the fusion's components if candidates are scored by them, `similar`, `rules`."""
        content = self.fusion.component_names if self.content else ()
        return ("id", *content, *self.neighbour_terms)

    @property
    def neighbour_terms(self) -> dict[str, SimilarItems | SequentialRules]:
        """The terms of neighbours that the model has, by name."""
        terms = {"similar": self.similar, "rules": self.rules}
        return {name: term for name, term in terms.items() if term is not None}

    def begin_rules(self, histories: Histories) -> None:
        """Count what follows what in training histories, if the model has a term for it."""
        if self.rules is not None:
            self.rules.learn(histories)

    def begin_fusion(self) -> str | None:
        """Let the fusion learn from the catalogue what does not change in training; see `Fusion.begin_training`."""
        rows_N = torch.arange(self.items.number_of_items + 1, device=self.device)
        return self.fusion.begin_training(self.items.features(rows_N))

    def read(
        self,
        items_P: Int[Tensor, " P"],
        lengths_B: Int[Tensor, " B"],
        candidates: Int[Tensor, "..."] | None = None,
        items: ItemSet | None = None,
        next_P: Int[Tensor, " P"] | None = None,
    ) -> Reading:
        """Return histories in terms of a set of distinct items, ready for `encode`, `encode_last` and the losses.

        Args:
            items_P: catalogue rows, history by history.
            lengths_B: of the histories, at least 1 and at most `max_length` each.
            candidates: further catalogue rows that the set must hold, to be scored; None: every item.
            items: a set made before that holds all of these; by default a new one is made.
            next_P: in training, the item that comes next at each place. Objectives give it, so that the user's own
                events are left out of the term of rules.
        """
        if items is None:
            items = self.item_set(items_P, candidates)
        return Reading(items, items.place_N[items_P], Packing(lengths_B), next_P)

    def item_set(
        self, histories: Int[Tensor, "..."] | None = None, candidates: Int[Tensor, "..."] | None = None
    ) -> ItemSet:
        """Gather distinct items with their components, padding in the first place.

        Args:
            histories: catalogue rows that histories hold; None: any item may be in a history.
            candidates: catalogue rows to be scored; None: every item.

        Returns:
            The items of both; the whole catalogue if either is None.
        """
        number = self.items.number_of_items + 1
        if histories is None or candidates is None:
            rows_I = place_N = torch.arange(number, device=self.device)
        else:
            occurs_N = torch.zeros(number, dtype=torch.bool, device=self.device)
            occurs_N[0] = True
            occurs_N[histories.flatten()] = True
            occurs_N[candidates.flatten()] = True
            # Rows 0, 2 and 5 of 7 occur: rows [0, 2, 5]; places [0, 0, 1, 0, 0, 2, 0].
            rows_I = occurs_N.nonzero().squeeze(1)
            place_N = torch.zeros(number, dtype=torch.long, device=self.device)
            place_N[rows_I] = torch.arange(len(rows_I), device=self.device)
        features, ids_IV = self.items.features(rows_I), self.items.id_vectors(rows_I, self.content)
        ids_ID = ids_IV[:, : self.items.width]
        parts = self.fusion.parts(features, ids_ID)
        seen_I = torch.zeros_like(rows_I, dtype=torch.bool)
        seen_I[slice(None) if histories is None else place_N[histories.flatten()]] = True
        seen_I[0] = False
        seen_S = seen_I.nonzero().squeeze(1)
        if len(seen_S) == len(rows_I) - 1:  # all but padding: no copy
            seen = Seen(seen_S, Parts(*(part[1:] for part in parts)))
            evidence = Evidence(
                self.fusion.evidence(parts, ids_ID), torch.arange(len(rows_I), device=self.device)
            )
        else:
            seen = Seen(seen_S, parts.take(seen_S))
            evidence_SE = self.fusion.evidence(seen.parts, gather_rows(ids_ID, seen_S))
            evidence = Evidence(evidence_SE, seen_I.cumsum(0) - 1)
        return ItemSet(rows_I, place_N, features, ids_IV, parts, seen, evidence)

    def encode(self, reading: Reading) -> UserStates:
        """Return state and weights after each of the P places, history by history: [P, Z] and [P, J]."""
        inputs_PV, weights_PJ = self._inputs(reading)
        states_PZ = reading.packing.each_place(self.backbone, inputs_PV)
        return UserStates(states_PZ, weights_PJ, *self._latest(reading))

    def encode_last(self, reading: Reading) -> UserStates:
        """Return state and weights after each history's last item: [B, Z] and [B, J]."""
        inputs_PV, weights_PJ = self._inputs(reading)
        states_BZ = reading.packing.each_row(self.backbone.last, inputs_PV)
        ends_B = reading.packing.starts_B + reading.packing.lengths_B - 1
        latest = (rows[ends_B] for rows in self._latest(reading))
        return UserStates(states_BZ, reading.packing.last(weights_PJ), *latest)

    def scattered(self, users: UserStates) -> Scattered | None:
        """Return the terms that are added to the products of queries and keys, by catalogue row; None: no term."""
        by_term = self._scattered_by_term(users)
        return Scattered.joined(by_term) if by_term else None

    def _scattered_by_term(self, users: UserStates) -> list[Scattered]:
        """Return what each of `neighbour_terms` adds."""
        found = []
        if self.similar is not None:
            found.append(self.similar(users.recent[:, : self.similar.lags]))
        if self.rules is not None:
            lags = self.rules.lags
            found.append(self.rules(users.recent[:, :lags], users.own[:, :lags]))
        return found

    def interaction_loss(self, reading: Reading) -> Float[Tensor, ""]:
        """Return the fusion's own losses on histories, weighted (PRISM, equation 9)."""
        return self.fusion.interaction_loss(reading, partial(self._encode_ways, reading))

    def _encode_ways(
        self, reading: Reading, added_IXD: Float[Tensor, "I X D"], index_P: Int[Tensor, " P"]
    ) -> Float[Tensor, "X B D"]:
        """Encode histories in X ways; see `fusion.base.Encode`."""
        added_PXV = self._in_all_streams(gather_rows(added_IXD, index_P))
        inputs_PXV = gather_rows(reading.items.ids_IV, reading.index_P)[:, None] + added_PXV
        states_BXZ = reading.packing.each_row(self._last_of_ways, inputs_PXV)
        return states_BXZ[..., : self.items.width].transpose(0, 1)

    def _last_of_ways(
        self, inputs_BLXV: Float[Tensor, "B L X V"], lengths_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B X Z"]:
        """Encode each of the X ways of a block as a history of its own: b * X rows for the backbone."""
        ways = inputs_BLXV.shape[2]
        side_by_side = inputs_BLXV.transpose(1, 2).flatten(0, 1)
        return self.backbone.last(side_by_side, lengths_B.repeat_interleave(ways)).unflatten(0, (-1, ways))

    def _inputs(self, reading: Reading) -> tuple[Float[Tensor, "P V"], Float[Tensor, "P J"]]:
        """Return the inputs of the backbone, id + fused, and the weights of the components in them."""
        fused = self.fusion(reading)
        inputs_PV = gather_rows(reading.items.ids_IV, reading.index_P) + self._in_all_streams(
            fused.vectors_PD
        )
        return inputs_PV, fused.weights_PJ

    def _latest(self, reading: Reading) -> tuple[Int[Tensor, "P L"], Int[Tensor, "P L W"]]:
        """Return the latest items at each place, and what follows each of them in the history; see `UserStates`."""
        # Two branches, because an export cannot trace a loop over terms.
        lags = 0 if self.similar is None else self.similar.lags
        lags = lags if self.rules is None else max(lags, self.rules.lags)
        if self.rules is None:
            return reading.recent(lags), reading.index_P.new_zeros(len(reading.index_P), lags, 0)
        if self.training and reading.next_P is None:
            raise SettingsError(
                "this objective cannot train model.rules: it does not say which items come next; use cross_entropy, or "
                "leave model.rules out"
            )
        return reading.recent(lags), reading.followers(lags, self.rules.window)

    def _in_all_streams(self, fused: Float[Tensor, "*P D"]) -> Float[Tensor, "*P V"]:
        """Return the fused vectors in all streams: unchanged in the first one, through a map in the others."""
        if self.further_streams is not None:
            return torch.cat([fused, self.further_streams(fused)], -1)
        return F.pad(fused, (0, (self.backbone.streams - 1) * self.items.width))

    def id_key(self, ids_IV: Float[Tensor, "*I V"], rows: Int[Tensor, "*I"]) -> Float[Tensor, "*I Q"]:
        """Return the ids' part of the keys of some items.

        Outside training, if some item has content and no id that counts, the last column is the id term of such items:
        a constant in place of an inner product.
        """
        keys_IQ = self.backbone.id_key(ids_IV)  # of length 1, with the components, if scores are cosines
        if not self.has_unknown_ids:
            return keys_IQ
        constant_I = self.items.unknown_id * self.items.without_id(rows)
        return torch.cat([keys_IQ, constant_I[..., None]], -1)

    def id_query(self, states_PZ: Float[Tensor, "*P Z"]) -> Float[Tensor, "*P Q"]:
        """Return the queries that are multiplied by `id_key`."""
        query_PQ = self.scale_query(self.backbone.id_query(states_PZ))
        return F.pad(query_PQ, (0, 1), value=1.0) if self.has_unknown_ids else query_PQ

    def content_query(self, states_PZ: Float[Tensor, "*P Z"]) -> Float[Tensor, "*P D"]:
        """Return the queries that are multiplied by components."""
        return self.scale_query(self.backbone.content_query(states_PZ))

    def scale_query(self, queries: Float[Tensor, "*P Q"]) -> Float[Tensor, "*P Q"]:
        """Return queries divided by the temperature; of length 1 before that, if scores are cosines."""
        if self.cosine:
            queries = F.normalize(queries, dim=-1)
        return queries if self.temperature == 1 else queries / self.temperature

    def scale_item(
        self, ids_IV: Float[Tensor, "*I V"], components_IJD: Float[Tensor, "*I J D"]
    ) -> tuple[Float[Tensor, "*I V"], Float[Tensor, "*I J D"]]:
        """Return ids and components as queries meet them: as they are, or divided by the length of their sum."""
        if not self.cosine:
            return ids_IV, components_IJD
        whole_IV = ids_IV + components_IJD.sum(-2) if self.content else ids_IV
        lengths_I1 = whole_IV.norm(dim=-1, keepdim=True).clamp_min(1e-12)
        return ids_IV / lengths_I1, components_IJD / lengths_I1[..., None]

    @property
    def has_unknown_ids(self) -> bool:
        """Whether the id term of some items is a constant, outside training."""
        return not self.training and self.content and self.items.some_without_id

    def keys(self, items: ItemSet, rows: Int[Tensor, " I"] | None = None) -> list[KeyGroup]:
        """Return the items' side of the inner product, grouped by the components that the items have.

        A key is the id's key and, if candidates are scored by content, what meets the content query: each component
        if weights are personal (K = Q + J D), otherwise their sum (K = Q + D). If one query meets both, it is the sum
        of id and components (K = Q).

        Args:
            items: an item set.
            rows: catalogue rows of the set, repetitions allowed; None: all of it except padding.
        """
        if rows is None:
            rows, ids_IV = items.rows_I[1:], items.ids_IV[1:]
            parts = Parts(*(part[1:] for part in items.parts))
        else:
            ids_IV = gather_rows(items.ids_IV, items.place_N[rows])
            parts = items.parts.take(items.place_N[rows])
        ids_IV, components_IJD = self.scale_item(ids_IV, parts.components_IJD)
        keys_IQ = self.id_key(ids_IV, rows)
        if not self.content:
            return [KeyGroup(rows, keys_IQ, None)]
        if self.summed:
            return [KeyGroup(rows, plus_components(keys_IQ, components_IJD), None)]
        if not self.fusion.personal:
            return [KeyGroup(rows, torch.cat([keys_IQ, components_IJD.sum(1)], 1), None)]
        keys_IK = torch.cat([keys_IQ, components_IJD.flatten(1)], 1)
        return group_by_presence(rows, keys_IK, parts.present_IJ)

    def queries(self, users: UserStates, group: KeyGroup) -> Float[Tensor, "P K"]:
        """Return the users' side of the inner product with the keys of one group."""
        id_query_PQ = self.id_query(users.states)
        if self.summed or not self.content:
            return id_query_PQ
        content_PD = self.content_query(users.states)
        if group.present_J is None:
            return torch.cat([id_query_PQ, content_PD], 1)
        shares_PJ = share_weights(users.weights, group.present_J)
        weighed_PJD = shares_PJ[..., None] * content_PD[:, None]
        return torch.cat([id_query_PQ, weighed_PJD.flatten(1)], 1)

    def vectors(self, users: UserStates, rows_P: Int[Tensor, " P"], items: ItemSet) -> Float[Tensor, "P V"]:
        """Return one item per user: its id and, if candidates are scored by them, its weighted components."""
        place_P = items.place_N[rows_P]
        ids_PV = gather_rows(items.ids_IV, place_P)
        if not self.content:
            return ids_PV
        components_PJD = gather_rows(items.parts.components_IJD, place_P)
        if not self.fusion.personal:
            return ids_PV + self._in_all_streams(components_PJD.sum(1))
        weights_PJ = share_weights(users.weights, items.parts.present_IJ[place_P])
        return ids_PV + self._in_all_streams(inner(components_PJD.mT, weights_PJ))

    def score(self, users: UserStates, rows_PC: Int[Tensor, "P C"], items: ItemSet) -> Float[Tensor, "P C"]:
        """Score C candidates for each of P users, with every term; the item set must hold them.

        To rank the whole catalogue, `rank.Ranker` multiplies `queries` by `keys` and adds what is `scattered`, which
        gives the same scores.
        """
        if not self.summed:
            return self.contributions(users, rows_PC, items).sum(-1)
        ids_IV, components_IJD = self.scale_item(items.ids_IV, items.parts.components_IJD)
        keys_IQ = plus_components(self.id_key(ids_IV, items.rows_I), components_IJD)
        scores_PC = inner(gather_rows(keys_IQ, items.place_N[rows_PC]), self.id_query(users.states))
        scattered = self.scattered(users)
        return scores_PC if scattered is None else scores_PC + scattered.at(rows_PC)

    def contributions(
        self, users: UserStates, rows_PC: Int[Tensor, "P C"], items: ItemSet
    ) -> Float[Tensor, "P C J"]:
        """Return the contribution of each of `component_names` to each candidate's score; their sum is the score."""
        states, weights = users.states, users.weights
        place_PC = items.place_N[rows_PC]
        components_IJD = items.parts.components_IJD if self.content else items.parts.components_IJD[:, :0]
        components_PCJD = gather_rows(components_IJD, place_PC)
        ids_PCV, components_PCJD = self.scale_item(gather_rows(items.ids_IV, place_PC), components_PCJD)
        id_PC = inner(self.id_key(ids_PCV, rows_PC), self.id_query(states))
        neighbours = [scattered.at(rows_PC)[..., None] for scattered in self._scattered_by_term(users)]
        if not self.content:
            return torch.cat([id_PC[..., None], *neighbours], -1)
        content_PCJ = inner(components_PCJD.flatten(1, 2), self.content_query(states))
        content_PCJ = content_PCJ.unflatten(1, components_PCJD.shape[1:3])
        if self.fusion.personal:
            content_PCJ = content_PCJ * share_weights(weights[:, None], items.parts.present_IJ[place_PC])
        return torch.cat([id_PC[..., None], content_PCJ, *neighbours], -1)
