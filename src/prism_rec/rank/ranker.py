"""Scores of the whole catalogue for users, with or without the items that they have seen: the only place that masks."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from prism_rec.data.histories import Histories, ranges
from prism_rec.fusion.reading import ItemSet
from prism_rec.model import SequenceRecommender, UserStates
from prism_rec.model.keys import KeyGroup
from prism_rec.rank.ordering import best, rank_of
from prism_rec.rank.seen import NEVER, Seen
from prism_rec.rank.twins import Twins, find_twins

HELD_CPU, HELD_GPU = 1 << 21, 1 << 28
"""Number of scores that are held at once: 8 MB, about the cache of some cores, and 1 GB of a GPU's memory."""


class Ranks(NamedTuple):
    """The answers to Q next-item questions, one row each, in the order of the questions."""

    ranks: np.ndarray  # int64 [Q], 1-based; `NEVER` if the target is not a candidate
    top: np.ndarray  # int64 [Q, k], best first; 0 if no item is left


class BestItems(NamedTuple):
    """The k best items of B users, best first."""

    questions: np.ndarray  # int64 [B], places of the users among the histories
    users: Any  # their states
    scores: np.ndarray  # [B, k]; -inf if no item is left
    rows: np.ndarray  # int64 [B, k], in the catalogue; 0 if no item is left


@runtime_checkable
class FindsItems(Protocol):
    """Anything that finds the best items: `CatalogueRanker` among all, `CatalogueIndex` among candidates."""

    def best_items(
        self, histories: Histories, k: int, seen: Seen, allowed: np.ndarray | None = None
    ) -> Iterator[BestItems]:
        """Yield the k best items of some users at a time."""


class RanksItems(Protocol):
    """Anything that ranks the catalogue: `Ranker` by a model, `PopularityRanker` by counts."""

    def rank(
        self, histories: Histories, targets: np.ndarray, k: int = 0, candidates: np.ndarray | None = None
    ) -> Ranks:
        """Rank each history's target among the candidates."""


class Tables(NamedTuple):
    """Tensors that depend on the catalogue only, computed once."""

    items: ItemSet
    groups: list[KeyGroup]
    twins: list[Twins]

    @classmethod
    @torch.no_grad()
    def of(cls, model: SequenceRecommender, items: ItemSet | None = None) -> "Tables":
        """Compute the tables of the whole catalogue; `items` are the model's own if they are not given."""
        items = model.item_set() if items is None else items
        groups = model.keys(items)
        return cls(items, groups, [find_twins(group.keys_IK) for group in groups])


class CatalogueRanker(ABC):
    """Ranks the catalogue for any number of users, by one model (`Ranker`) or several (`EnsembleRanker`).

    Attributes:
        batch_size: users that are encoded at once. Fewer are scored at once, see `scored`.
        seen: whether the items of a history are candidates.
        members: for each model its factor and its ranker; the score is the sum of factor times the model's score.
        component_names: the parts that add up to a score.
        number_of_items: N.
        max_length: number of latest items of a history that are read.
        device: of the scores.
        dtype: of the scores.
    """

    batch_size: int
    seen: Seen
    members: tuple[tuple[float, "Ranker"], ...]
    component_names: tuple[str, ...]
    number_of_items: int
    max_length: int
    device: torch.device
    dtype: torch.dtype

    @abstractmethod
    def states(self, histories: Histories, questions: np.ndarray) -> Any:
        """Return the states of users after the last item of some of the histories."""

    @abstractmethod
    def of_members(self, users: Any) -> Sequence[UserStates]:
        """Return the states of each of `members`."""

    @abstractmethod
    def scores(self, users: Any, out_BN: Tensor | None = None) -> Float[Tensor, "B N"]:
        """Score every catalogue row; row 0, padding, is -inf."""

    @abstractmethod
    def contributions(self, users: Any, rows_BC: Int[Tensor, "B C"]) -> Float[Tensor, "B C J"]:
        """Return the contribution of each of `component_names` to each candidate's score; their sum is the score."""

    @torch.no_grad()
    def rank(
        self, histories: Histories, targets: np.ndarray, k: int = 0, candidates: np.ndarray | None = None
    ) -> Ranks:
        """Rank each history's target among the candidates, exactly as they are recommended.

        If seen items are removed, a target that is in its own history is not a candidate.

        Args:
            histories: Q histories, each of at least one item.
            targets: int64 [Q].
            k: number of best items to return as well.
            candidates: the catalogue rows that are ranked; None: every item.
        """
        ranks = np.empty(len(histories), np.int64)
        top = np.zeros((len(histories), k), np.int64)
        work_BN: Tensor | None = None
        for questions, _, scores_BN in self.scored(histories):
            targets_B = self._tensor(targets[questions])
            if self.seen == "remove":
                self.mask_seen(scores_BN, histories, questions)
            if candidates is not None:
                self.keep_only(scores_BN, candidates)
            removed_B = scores_BN.gather(1, targets_B[:, None]).squeeze(1) == -torch.inf
            work_BN = torch.empty_like(scores_BN) if work_BN is None else work_BN
            ranks_B = rank_of(scores_BN, targets_B, work_BN[: len(scores_BN)])
            ranks[questions] = ranks_B.masked_fill(removed_B, NEVER).cpu().numpy()
            if k:
                top[questions] = self.best(scores_BN, k)[1]
        return Ranks(ranks, top)

    @torch.no_grad()
    def best_items(
        self, histories: Histories, k: int, seen: Seen, allowed: np.ndarray | None = None
    ) -> Iterator[BestItems]:
        """Yield the k best items of some users at a time.

        Args:
            histories: of at least one item each.
            k: number of items, at most that of the catalogue.
            seen: `remove` or `keep` the items of the histories.
            allowed: catalogue rows that may be found; None: all.
        """
        for questions, users, scores_BN in self.scored(histories):
            if seen == "remove":
                self.mask_seen(scores_BN, histories, questions)
            if allowed is not None:
                self.keep_only(scores_BN, allowed)
            yield BestItems(questions, users, *self.best(scores_BN, k))

    @torch.no_grad()
    def scored(self, histories: Histories) -> Iterator[tuple[np.ndarray, Any, Float[Tensor, "B N"]]]:
        """Yield some users at a time: their places in the histories, their states, and the scores of the catalogue.

        The next users overwrite the scores. On a CPU, as many users are scored at once as have scores that stay in the
        processor's cache, since the scores are read several times.
        """
        number, held = self.number_of_items + 1, HELD_CPU if self.device.type == "cpu" else HELD_GPU
        at_once = max(16, min(held // number, self.batch_size, len(histories)))
        memory_BN: Tensor | None = None
        for begin in range(0, len(histories), self.batch_size):
            questions = np.arange(begin, min(begin + self.batch_size, len(histories)))
            users = self.states(histories, questions)
            for first in range(0, len(questions), at_once):
                part = slice(first, first + at_once)
                some = users.take(part)
                if memory_BN is None:
                    memory_BN = torch.empty(at_once, number, device=self.device, dtype=self.dtype)
                yield questions[part], some, self.scores(some, memory_BN[: len(questions[part])])

    def mask_seen(self, scores_BN: Float[Tensor, "B N"], histories: Histories, questions: np.ndarray) -> None:
        """Set the items of each whole history to -inf, in place."""
        lengths = histories.lengths[questions]
        users = np.repeat(np.arange(len(questions)), lengths)
        seen = histories.items[ranges(histories.offsets[questions], lengths)]
        scores_BN[self._tensor(users), self._tensor(seen)] = -torch.inf

    def keep_only(self, scores_BN: Float[Tensor, "B N"], rows: np.ndarray) -> None:
        """Set all but the given rows to -inf, in place."""
        left_out_N = torch.ones(scores_BN.shape[1], dtype=torch.bool, device=scores_BN.device)
        left_out_N[self._tensor(rows)] = False
        scores_BN[:, left_out_N] = -torch.inf

    def best(self, scores_BN: Float[Tensor, "B N"], k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the k best scores and rows; if fewer than k are left, the score is -inf and the row 0."""
        values_Bk, rows_Bk = best(scores_BN, k)
        rows_Bk[values_Bk == -torch.inf] = 0
        missing = k - rows_Bk.shape[1]
        if missing > 0:
            values_Bk = F.pad(values_Bk, (0, missing), value=-torch.inf)
            rows_Bk = F.pad(rows_Bk, (0, missing))
        return values_Bk.cpu().numpy(), rows_Bk.cpu().numpy()

    def _tensor(self, values: np.ndarray) -> Int[Tensor, "..."]:
        return torch.from_numpy(values).to(self.device)


class Ranker(CatalogueRanker):
    """Ranks the catalogue by one model; the catalogue's components are computed once, here.

    The model is put into evaluation mode, so that the answers are deterministic.

    Args:
        model: gives the scores; it reads the latest `max_length` items of a history.
        batch_size: users that are encoded at once. Fewer are scored at once, see `scored`.
        seen: whether the items of a history are candidates.
        tables: of the catalogue, computed before; if not given, they are computed.
    """

    def __init__(
        self,
        model: SequenceRecommender,
        batch_size: int = 2048,
        seen: Seen = "remove",
        tables: Tables | None = None,
    ) -> None:
        self.model = model.eval()
        self.batch_size = batch_size
        self.seen = seen
        self.tables = Tables.of(model) if tables is None else tables
        self.items, self.groups, self.twins = self.tables
        self.members = ((1.0, self),)
        self.component_names = model.component_names
        self.number_of_items = model.items.number_of_items
        self.max_length = model.max_length
        self.device = model.device
        self.dtype = self.items.ids_IV.dtype

    @torch.no_grad()
    def states(self, histories: Histories, questions: np.ndarray) -> UserStates:
        """Return state and weights after the last item of some of the histories."""
        lengths = np.minimum(histories.lengths[questions], self.model.max_length)
        items = histories.items[ranges(histories.offsets[questions + 1] - lengths, lengths)]
        reading = self.model.read(self._tensor(items), self._tensor(lengths), items=self.items)
        return self.model.encode_last(reading)

    def of_members(self, users: UserStates) -> Sequence[UserStates]:
        """Return the states of the one member."""
        return (users,)

    @torch.no_grad()
    def scores(self, users: UserStates, out_BN: Tensor | None = None) -> Float[Tensor, "B N"]:
        """Score every catalogue row; row 0, padding, is -inf.

        Items of equal keys have equal scores. A matrix product alone does not promise that: it may add the terms of
        the last columns in another order.
        """
        size = len(users.states), len(self.items.rows_I)
        scores_BN = users.states.new_empty(size) if out_BN is None else out_BN
        scores_BN[:, 0] = -torch.inf
        for group, twins in zip(self.groups, self.twins, strict=True):
            query_BK = self.model.queries(users, group)
            if len(self.groups) == 1:
                scores_BI = torch.mm(query_BK, group.keys_IK.T, out=scores_BN[:, 1:])
            else:
                scores_BI = query_BK @ group.keys_IK.T
            if len(twins.later_T):
                scores_BI[:, twins.later_T] = scores_BI[:, twins.first_T]
            if len(self.groups) > 1:
                scores_BN[:, group.rows_I] = scores_BI
        scattered = self.model.scattered(users)
        if scattered is not None:
            scattered.add_to(scores_BN)
        return scores_BN

    @torch.no_grad()
    def contributions(self, users: UserStates, rows_BC: Int[Tensor, "B C"]) -> Float[Tensor, "B C J"]:
        """Return the contribution of each component to the score of each candidate."""
        return self.model.contributions(users, rows_BC, self.items)
